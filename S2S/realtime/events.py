"""Server events of the Realtime protocol, reduced to those that a conversation needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Fields: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The server heard the user begin to speak."""

    at_ms: int | None
    """Position in the audio that the server was sent."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The server heard the user stop speaking."""

    at_ms: int | None


@dataclass(frozen=True, slots=True)
class SpeechCommitted:
    """The user's speech is an item of the conversation now."""

    item: str


@dataclass(frozen=True, slots=True)
class WordsGrew:
    """The next words of the transcript of an item."""

    item: str
    delta: str


@dataclass(frozen=True, slots=True)
class WordsKnown:
    """The transcript of an item is complete; None: the server could not transcribe it."""

    item: str
    text: str | None


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    """The server has withdrawn an item."""

    item: str


@dataclass(frozen=True, slots=True)
class ResponseBegan:
    """A response begins. `turn` is the number in the metadata of our request, if it was requested."""

    response: str
    turn: int | None


@dataclass(frozen=True, slots=True)
class AudioCame:
    """The next audio of a response: little-endian int16 at 24 kHz."""

    response: str
    item: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class TextCame:
    """The next text of a response; `spoken`: its audio comes with it."""

    response: str
    delta: str
    spoken: bool


@dataclass(frozen=True, slots=True)
class CallBegan:
    """The model begins to call a function."""

    response: str
    item: str
    call: str
    name: str


@dataclass(frozen=True, slots=True)
class CallGrew:
    """The next characters of the arguments of a call."""

    response: str
    item: str
    delta: str


@dataclass(frozen=True, slots=True)
class CallMade:
    """A call is complete."""

    response: str
    item: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ResponseOver:
    """A response is over. `status` is ``completed``, ``cancelled``, ``incomplete`` or ``failed``."""

    response: str
    status: str
    reason: str
    error: Fields


@dataclass(frozen=True, slots=True)
class Faulted:
    """The server reports an error, possibly about our event with the id `event`."""

    event: str
    error: Fields

    @property
    def code(self) -> str:
        """The code of the error, or its type; may be empty."""
        return next((v for n in ("code", "type") if isinstance(v := self.error.get(n), str)), "")


Part: TypeAlias = AudioCame | TextCame | CallBegan | CallGrew | CallMade
"""The next part of a response."""

ServerEvent: TypeAlias = (
    SpeechBegan
    | SpeechPaused
    | SpeechCommitted
    | WordsGrew
    | WordsKnown
    | ItemDeleted
    | ResponseBegan
    | Part
    | ResponseOver
    | Faulted
)
