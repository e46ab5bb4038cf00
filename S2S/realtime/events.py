"""Server events of the Realtime protocol, reduced to those that a conversation needs."""

import base64
import json
from collections.abc import Callable, Mapping
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


ServerEvent: TypeAlias = (
    SpeechBegan
    | SpeechPaused
    | SpeechCommitted
    | WordsGrew
    | WordsKnown
    | ItemDeleted
    | ResponseBegan
    | AudioCame
    | TextCame
    | CallBegan
    | CallGrew
    | CallMade
    | ResponseOver
    | Faulted
)

GREETING = "session.created"


def fields_of(text: str | bytes) -> Fields:
    """The fields of an event. Raises `ValueError` if it is not a JSON object with a type."""
    try:
        event = json.loads(text)
    except RecursionError as error:
        raise ValueError("expected JSON with fewer brackets") from error
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ValueError("expected a JSON object with a type")
    return event


def read(text: str | bytes) -> ServerEvent | None:
    """Parse an event of the server; None: the event does not matter to a conversation. Raises
    `ValueError` if the event does not follow the protocol."""
    event = fields_of(text)
    reader = _READERS.get(event["type"])
    try:
        return None if reader is None else reader(event)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"expected the fields of {event['type']}") from error


def _text(event: Fields, name: str) -> str:
    value = event[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _ms(event: Fields, name: str) -> int | None:
    value: object = event.get(name)
    return value if isinstance(value, int) else None


def _response_began(event: Fields) -> ResponseBegan:
    response = event["response"]
    turn = (response.get("metadata") or {}).get("turn")
    number = int(turn) if isinstance(turn, str) and turn.isdecimal() and len(turn) < 10 else None
    return ResponseBegan(_text(response, "id"), number)


def _item_added(event: Fields) -> CallBegan | None:
    item = event["item"]
    if item.get("type") != "function_call":
        return None
    return CallBegan(
        _text(event, "response_id"), _text(item, "id"), _text(item, "call_id"), _text(item, "name")
    )


def _audio(event: Fields) -> AudioCame:
    pcm = base64.b64decode(_text(event, "delta"), validate=True)
    return AudioCame(_text(event, "response_id"), _text(event, "item_id"), pcm)


def _text_came(spoken: bool) -> Callable[[Fields], TextCame]:
    return lambda e: TextCame(_text(e, "response_id"), _text(e, "delta"), spoken)


def _response_over(event: Fields) -> ResponseOver:
    response = event["response"]
    details = response.get("status_details") or {}
    reason = details.get("reason")
    error = details.get("error")
    return ResponseOver(
        _text(response, "id"),
        _text(response, "status"),
        reason if isinstance(reason, str) else "",
        error if isinstance(error, Mapping) else {},
    )


def _faulted(event: Fields) -> Faulted:
    error = event["error"]
    if not isinstance(error, Mapping):
        error = {"message": str(error)}
    id = error.get("event_id")
    return Faulted(id if isinstance(id, str) else "", error)


_READERS: dict[str, Callable[[Fields], ServerEvent | None]] = {
    "input_audio_buffer.speech_started": lambda e: SpeechBegan(_ms(e, "audio_start_ms")),
    "input_audio_buffer.speech_stopped": lambda e: SpeechPaused(_ms(e, "audio_end_ms")),
    "input_audio_buffer.committed": lambda e: SpeechCommitted(_text(e, "item_id")),
    "conversation.item.input_audio_transcription.delta": lambda e: WordsGrew(
        _text(e, "item_id"), _text(e, "delta")
    ),
    "conversation.item.input_audio_transcription.completed": lambda e: WordsKnown(
        _text(e, "item_id"), _text(e, "transcript")
    ),
    "conversation.item.input_audio_transcription.failed": lambda e: WordsKnown(
        _text(e, "item_id"), None
    ),
    "conversation.item.deleted": lambda e: ItemDeleted(_text(e, "item_id")),
    "response.created": _response_began,
    "response.output_item.added": _item_added,
    "response.output_audio.delta": _audio,
    "response.output_audio_transcript.delta": _text_came(spoken=True),
    "response.output_text.delta": _text_came(spoken=False),
    # names from before the protocol's general availability, which other servers still use
    "response.audio.delta": _audio,
    "response.audio_transcript.delta": _text_came(spoken=True),
    "response.text.delta": _text_came(spoken=False),
    "response.function_call_arguments.delta": lambda e: CallGrew(
        _text(e, "response_id"), _text(e, "item_id"), _text(e, "delta")
    ),
    "response.function_call_arguments.done": lambda e: CallMade(
        _text(e, "response_id"), _text(e, "item_id"), _text(e, "arguments")
    ),
    "response.done": _response_over,
    "error": _faulted,
}
"""The events that matter, by type. All others, such as rate limits, are ignored."""
