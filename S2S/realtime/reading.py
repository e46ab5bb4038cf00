"""Reading of the server's events: JSON ▶ the events of a conversation."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from S2S.realtime.events import (
    AudioCame,
    CallBegan,
    CallGrew,
    CallMade,
    Faulted,
    Fields,
    ItemDeleted,
    ResponseBegan,
    ResponseOver,
    ServerEvent,
    SpeechBegan,
    SpeechCommitted,
    SpeechPaused,
    TextCame,
    WordsGrew,
    WordsKnown,
)

GREETING = "session.created"

E = TypeVar("E")


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


def _of(kind: Callable[..., E], *names: str) -> Callable[[Fields], E]:
    """The reader of an event that has these texts."""
    return lambda event: kind(*(_text(event, name) for name in names))


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
    return lambda event: TextCame(_text(event, "response_id"), _text(event, "delta"), spoken)


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


_SPOKEN, _WRITTEN = _text_came(spoken=True), _text_came(spoken=False)
_USER = "conversation.item.input_audio_transcription"
_CALL = "response.function_call_arguments"

_READERS: dict[str, Callable[[Fields], ServerEvent | None]] = {
    "input_audio_buffer.speech_started": lambda event: SpeechBegan(_ms(event, "audio_start_ms")),
    "input_audio_buffer.speech_stopped": lambda event: SpeechPaused(_ms(event, "audio_end_ms")),
    "input_audio_buffer.committed": _of(SpeechCommitted, "item_id"),
    f"{_USER}.delta": _of(WordsGrew, "item_id", "delta"),
    f"{_USER}.completed": _of(WordsKnown, "item_id", "transcript"),
    f"{_USER}.failed": lambda event: WordsKnown(_text(event, "item_id"), None),
    "conversation.item.deleted": _of(ItemDeleted, "item_id"),
    "response.created": _response_began,
    "response.output_item.added": _item_added,
    "response.output_audio.delta": _audio,
    "response.output_audio_transcript.delta": _SPOKEN,
    "response.output_text.delta": _WRITTEN,
    # names from before the protocol's general availability, which other servers still use
    "response.audio.delta": _audio,
    "response.audio_transcript.delta": _SPOKEN,
    "response.text.delta": _WRITTEN,
    f"{_CALL}.delta": _of(CallGrew, "response_id", "item_id", "delta"),
    f"{_CALL}.done": _of(CallMade, "response_id", "item_id", "arguments"),
    "response.done": _response_over,
    "error": _faulted,
}
"""The events that matter, by type. All others, such as rate limits, are ignored."""
