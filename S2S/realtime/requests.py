"""Client events of the Realtime protocol, as they are sent to the server."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pipeline.messages import ChatMessage
from pipeline.words import well_formed

RATE_HZ = 24000
"""The rate of the protocol's audio, in both directions."""

Event: TypeAlias = dict[str, Any]
SendEvent: TypeAlias = Callable[[Event], None]

MAX_ID = 32
"""Longest item id that OpenAI accepts; an item with a longer id gets a new one from the server."""

COMMIT = "commit"
"""Id of the events that commit speech."""

RACE = "race"
"""Id of events that a server may refuse, since the response or the item that they concern may be gone
meanwhile."""

_RESPOND = "respond_"


def update(wanted: Event, present: Event) -> Event | None:
    """The event that changes the session from `present`, which is empty at first, to `wanted`; None: no
    change. A server may refuse an unchanged voice once it has spoken, so only changes are sent."""
    changes = _changes(wanted, present)
    session = {"type": "realtime", **changes}
    return {"type": "session.update", "event_id": "settings", "session": session} if changes else None


def respond(
    turn: int,
    wanted: Event,
    present: Event,
    *,
    context: Sequence[ChatMessage] | None = None,
    aside: bool = False,
) -> Event:
    """The event that requests the response of a turn, with the settings that differ from the session's.
    An `aside` is not part of the conversation."""
    response = _changes(
        {name: wanted[name] for name in ("output_modalities", "instructions", "tools", "tool_choice")},
        present,
    )
    if aside:
        response["conversation"] = "none"
    if context is not None:
        response["input"] = [item for message in context for item in items(message)]
    response["metadata"] = {"turn": str(turn)}
    return {"type": "response.create", "event_id": request_id(turn), "response": response}


def request_id(turn: int) -> str:
    """The id of the event that requests the response of a turn."""
    return f"{_RESPOND}{turn}"


def requested_turn(event_id: str) -> int | None:
    """The turn whose response is requested by the event with this id; None: it requests none."""
    kind, _, number = event_id.partition("_")
    return int(number) if f"{kind}_" == _RESPOND and number.isdecimal() else None


def items(message: ChatMessage, id: str | None = None) -> list[Event]:
    """The items of a message: one for its text, and one for each call."""
    text = well_formed(message.content)
    named = {} if id is None or len(id) > MAX_ID else {"id": id}
    if message.answers:
        result = {"type": "function_call_output", "call_id": message.answers, "output": text}
        return [{**named, **result}]
    made = [
        {
            **named,
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in message.calls
    ]
    if not message.content:
        return made
    kind = "output_text" if message.role == "assistant" else "input_text"
    content = [{"type": kind, "text": text}]
    return [{**named, "type": "message", "role": message.role, "content": content}, *made]


def create(item: Event, after: str | None = None) -> Event:
    """The event that adds an item to the conversation, behind the item `after`; None: to the end."""
    event = {"type": "conversation.item.create", "event_id": "item", "item": item}
    return event if after is None else {**event, "previous_item_id": after}


def delete(item: str) -> Event:
    """The event that deletes an item."""
    return {"type": "conversation.item.delete", "event_id": RACE, "item_id": item}


def truncate(item: str, heard_samples: int) -> Event:
    """The event that cuts the audio of an item where the user stopped hearing it."""
    end_ms = 1000 * heard_samples // RATE_HZ
    place = {"item_id": item, "content_index": 0, "audio_end_ms": end_ms}
    return {"type": "conversation.item.truncate", "event_id": RACE, **place}


def cancel(response: str) -> Event:
    """The event that stops a response."""
    return {"type": "response.cancel", "event_id": RACE, "response_id": response}


def commit() -> Event:
    """The event that ends the user's speech."""
    return {"type": "input_audio_buffer.commit", "event_id": COMMIT}


def clear() -> Event:
    """The event that takes the user's speech back."""
    return {"type": "input_audio_buffer.clear", "event_id": "clear"}


def _changes(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> Event:
    changes: Event = {}
    for name, value in wanted.items():
        if name in ("audio", "input", "output"):
            value = _changes(value, present.get(name, {}))
            if value:
                changes[name] = value
        elif name not in present or value != present[name]:
            changes[name] = value
    return changes
