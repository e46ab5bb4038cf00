"""VoiceDetector and TurnDetector: what the models of the VAD stage look like to it."""

from typing import Protocol

from pipeline.messages import Samples


class VoiceStream(Protocol):
    """The state of one conversation."""

    def probability(self, window: Samples) -> float:
        """How likely it is, 0 to 1, that this window holds speech. Windows come in order."""
        ...

    def reset(self) -> None:
        """Forget what came before: the next window does not follow on the last."""
        ...


class VoiceDetector(Protocol):
    """The shared weights. A window takes about 0.1 ms, so it runs on the thread of the stage."""

    name: str
    sample_rate_hz: int
    window_samples: int

    def open(self) -> VoiceStream:
        """A stream for one conversation."""
        ...


class TurnDetector(Protocol):
    """The shared weights. A call takes about 0.1 s, so it runs beside the stage."""

    name: str
    slots: int
    sample_rate_hz: int

    def completeness(self, samples: Samples) -> float:
        """How likely it is, 0 to 1, that a speaker who said this and paused has finished."""
        ...

    def close(self) -> None: ...
