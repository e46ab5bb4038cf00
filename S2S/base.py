"""SpeechResponder: what an engine that answers speech with speech looks like, turn by turn."""

from collections.abc import Iterator
from typing import Protocol

from pipeline.messages import Samples
from pipeline.turn import CancelToken
from TTS.base import AudioChunk


class SpeechResponder(Protocol):
    """The shared weights."""

    name: str
    slots: int
    """How many calls may run at once."""
    sample_rate_hz: int
    """The rate it wants."""

    def respond(self, samples: Samples, cancel: CancelToken) -> Iterator[tuple[AudioChunk, str | None]]:
        """The answer to what was said, with the text that begins with each piece. Raises `EngineError`.

        When `cancel` is raised it should end soon; what it yields then is thrown away.
        """
        ...

    def close(self) -> None: ...
