"""Recognizer: the interface of a speech recognizer to the STT stage."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pipeline.engine_info import RecognizerInfo
from pipeline.messages import Notice, Samples
from pipeline.turn import CancelToken
from STT.annotations import without_annotations


@dataclass(frozen=True, slots=True)
class Transcription:
    """The words of an utterance. `text` is empty when there were no words; annotations such as
    "[BLANK_AUDIO]", which recognizers write for other sounds, are removed (`STT/annotations.py`)."""

    text: str
    language: str | None = None
    """ISO 639-1, with "-auto" behind it where it was detected ("te", "fr-auto"); None: the recognizer
    does not say."""
    notices: tuple[Notice, ...] = ()
    unheard: bool = False
    """True if no recognizer listened: the language model hears the audio itself. Then there is no
    text."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", without_annotations(self.text))


class Recognizer(Protocol):
    """The shared weights."""

    @property
    def info(self) -> RecognizerInfo: ...

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words in `samples` (mono float32, any length). Raises `EngineError`.

        `language` is a code; a detected one ("fr-auto"): detect it again, this was the last one of the
        conversation; None: as configured.
        When `cancel` is raised it should return soon; its result is then discarded.
        """
        ...

    def close(self) -> None: ...


class RecognizerStream(Protocol):
    """One utterance, while it is spoken. One thread at a time calls it, each call in a slot of its
    recognizer."""

    def feed(self, samples: Samples, cancel: CancelToken) -> str:
        """Recognize further samples (any number). Returns all words so far: they only grow.

        Raises `EngineError`. When `cancel` is raised it should return soon; the stream is then not
        used again.
        """
        ...

    def finish(self, cancel: CancelToken) -> Transcription:
        """End the utterance. The stream is not used again."""
        ...

    def fork(self) -> "RecognizerStream | None":
        """A copy of the stream that has heard the same; None: its state cannot be copied."""
        ...


@runtime_checkable
class StreamingRecognizer(Recognizer, Protocol):
    """Recognizes speech while it is spoken, each piece once."""

    def open(self, language: str | None) -> RecognizerStream:
        """Open a stream for a new utterance; the state is its own, the weights are shared."""
        ...
