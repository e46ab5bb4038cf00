"""Recognizer: what a speech recognizer looks like to the STT stage."""

from dataclasses import dataclass
from typing import Protocol

from pipeline.messages import Notice, Samples
from pipeline.turn import CancelToken


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was said. `text` is empty when there were no words."""

    text: str
    language: str | None = None
    """ISO 639-1, with "-auto" behind it where it was detected ("te", "fr-auto"); None: the recognizer
    does not say."""
    notices: tuple[Notice, ...] = ()
    unheard: bool = False
    """Whether nobody listened: the model is to hear it. Then there is no text."""


class Recognizer(Protocol):
    """The shared weights."""

    name: str
    slots: int
    """How many calls may run at once."""
    sample_rate_hz: int
    """The rate it wants."""
    languages: tuple[str, ...]
    """ISO 639-1 codes; ("any",): it does not mind."""

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words in `samples` (mono float32, any length). Raises `EngineError`.

        When `cancel` is raised it should return soon; what it returns then is thrown away.
        """
        ...

    def close(self) -> None: ...
