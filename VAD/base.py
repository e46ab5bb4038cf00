"""Protocols of the VAD stage: its models, and the recognizer that follows a growing utterance."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pipeline.engine_info import EngineInfo
from pipeline.messages import Samples


class VoiceStream(Protocol):
    """The detector's state of one conversation."""

    def probability(self, window: Samples) -> float:
        """Probability, 0 to 1, that this window holds speech. Windows come in order."""
        ...

    def reset(self) -> None:
        """Forget the past: the next window does not directly follow the last one."""
        ...


class VoiceDetector(Protocol):
    """The shared weights. A window takes less than 0.1 ms, so one thread judges those of all
    sessions."""

    name: str
    sample_rate_hz: int
    window_samples: int

    def open(self) -> VoiceStream:
        """Open the stream of one conversation."""
        ...

    def judge(self, streams: Sequence[Any], windows: Sequence[Samples]) -> Sequence[float]:
        """Probability of speech in the next window of each stream, in one call where the model can.
        The streams are those that `open` has made."""
        ...


class TurnDetector(Protocol):
    """The shared weights. A call takes about 0.1 s, so it runs beside the stage."""

    sample_rate_hz: int

    @property
    def info(self) -> EngineInfo: ...

    def completeness(self, samples: Samples) -> float:
        """Probability, 0 to 1, that a speaker who pauses after `samples` has finished."""
        ...

    def close(self) -> None: ...


class SentenceJudge(Protocol):
    """The shared weights of a language model that judges by the words alone. A call takes some 50 ms, so
    it runs beside the stages."""

    languages: tuple[str, ...]
    """ISO 639-1 codes of the languages that it can judge."""

    @property
    def info(self) -> EngineInfo: ...

    def ended(self, words: str) -> float:
        """Probability, 0 to 1, that a sentence ends after these words; final punctuation is ignored."""
        ...

    def close(self) -> None: ...


class PartialListener(Protocol):
    """Recognizes an utterance while it grows, for live partial transcripts or to be done sooner."""

    def begin(self) -> None:
        """A new utterance begins, or the current one is over."""
        ...

    def grow(self, length: int, said: Callable[[], Samples], rate_hz: int) -> None:
        """The utterance has grown to `length` samples, which `said` returns."""
        ...

    def pause(self) -> None:
        """Prepare for a request for the words: the utterance may be over."""
        ...
