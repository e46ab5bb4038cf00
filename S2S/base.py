"""SpeechResponder: the interface of an engine that answers speech with speech, turn by turn."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from pipeline.engine_info import ResponderInfo
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken


class SpeechResponder(Protocol):
    """The shared weights."""

    @property
    def info(self) -> ResponderInfo: ...

    def respond(self, samples: Samples, cancel: CancelToken) -> Iterator[tuple[AudioChunk, str | None]]:
        """The answer to an utterance, with the text that begins with each piece. Raises `EngineError`.

        When `cancel` is raised it should end soon; its further output is discarded.
        """
        ...

    def close(self) -> None: ...


class FrameStream(Protocol):
    """The state of one stretch of speech."""

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        """The audio that follows, for the next frame of the user's voice, and the text that begins with
        it; may be empty."""
        ...


@runtime_checkable
class FrameResponder(Protocol):
    """An engine that answers while the user is speaking. It computes a frame in far less time than the
    frame lasts."""

    @property
    def info(self) -> ResponderInfo: ...

    def open(self) -> FrameStream:
        """A stream for the stretch of speech that begins."""
        ...

    def close(self) -> None: ...
