"""Protocols of the end-to-end engines: turn by turn, and full duplex (listening while speaking)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from pipeline.engine_info import DuplexInfo, ResponderInfo
from pipeline.messages import AudioChunk, ChatMessage, CutOff, Notice, Samples, ToolCall
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken


@dataclass(frozen=True, slots=True)
class Question:
    """The user's speech or typed text, and the conversation before it."""

    samples: Samples
    """The utterance, at the engine's sample rate; empty: the user typed, or said nothing."""
    settings: SessionSettings
    """Voice, language and functions of the turn."""
    text: str = ""
    """The words that the user typed; with neither samples nor text, the engine answers the conversation
    as it is, as after the result of a function."""
    messages: Sequence[ChatMessage] = ()
    """The instructions, and the conversation so far, without this question. Earlier speech is its
    transcript, or `SPOKEN` where there is none."""


@dataclass(frozen=True, slots=True)
class UserWords:
    """The user's words, as the model understood them."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class SpokenPiece:
    """The next audio of an answer; `text`: the text that begins with it, if the model writes any."""

    audio: AudioChunk
    text: str | None = None


Answer: TypeAlias = SpokenPiece | UserWords | ToolCall | Notice | CutOff
"""One output of a `SpeechResponder`. Function calls come in pieces, as from a `ChatModel`."""


class SpeechResponder(Protocol):
    """The shared weights, or a connection to a server."""

    @property
    def info(self) -> ResponderInfo: ...

    def expect_voice(self, voice: str) -> None:
        """Raise `EngineError` for a voice that the engine does not have."""
        ...

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[Answer]:
        """The answer to a question, piece by piece. Raises `EngineError`.

        When `cancel` is raised, the answer should end soon; further output is discarded.
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


class DuplexStream(FrameStream, Protocol):
    """The state of one conversation with a `DuplexModel`. `answer` takes and returns whole frames; the
    first answers may be empty, while the model has not heard enough."""

    def close(self) -> None:
        """Free the state for another conversation."""
        ...


class DuplexModel(Protocol):
    """A model that listens while it speaks: one frame in, one frame out. The model itself decides when
    to speak, and when to stop for the user."""

    @property
    def info(self) -> DuplexInfo: ...

    def open(self, settings: SessionSettings) -> DuplexStream:
        """The state of a new conversation. Raises `EngineBusy` if there is no room for another one,
        `EngineError` for an unknown voice."""
        ...

    def close(self) -> None: ...
