"""Client events of the Realtime protocol: the configuration of a session, items, requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from LLM.chat import answer_in
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, NO_TOOL, SOME_TOOL, EndpointerSettings, SessionSettings, Tool
from pipeline.words import well_formed

RATE_HZ = 24000
"""The rate of the protocol's audio, in both directions."""

TurnDetection: TypeAlias = Literal["server_vad", "semantic_vad"]
Event: TypeAlias = dict[str, Any]

MAX_ID = 32
"""Longest item id that OpenAI accepts; an item with a longer id gets a new one from the server."""

_PCM = {"type": "audio/pcm", "rate": RATE_HZ}


@dataclass(frozen=True, slots=True)
class Configuration:
    """The operator's settings for a session of the server."""

    instructions: str
    """The system prompt, unless the client of the session has another."""
    voice: str | None = None
    turn_detection: TurnDetection = "server_vad"
    transcription: str | None = None
    """The model that transcribes the user's speech; None: the server transcribes nothing."""

    def of(self, settings: SessionSettings, *, by_hand: bool) -> Event:
        """The server's session configuration; `by_hand`: the user says when a turn ends."""
        voice = settings.voice or self.voice
        return {
            "output_modalities": ["audio" if settings.spoken else "text"],
            "instructions": (settings.instructions or self.instructions) + answer_in(settings.language),
            "tools": [_tool(tool) for tool in settings.tools],
            "tool_choice": _tool_choice(settings.tool_choice),
            "audio": {
                "input": {
                    "format": _PCM,
                    "transcription": self._transcription(settings.language),
                    "turn_detection": self._turn_detection(settings, by_hand),
                },
                "output": {"format": _PCM, **({"voice": voice} if voice else {})},
            },
        }

    def _transcription(self, language: str | None) -> Event | None:
        if self.transcription is None:
            return None
        return {"model": self.transcription, **({"language": language} if language else {})}

    def _turn_detection(self, settings: SessionSettings, by_hand: bool) -> Event | None:
        if by_hand or not settings.hands_free:
            return None
        endpointing = settings.endpointing
        detection: Event = {"type": self.turn_detection}
        if endpointing is not None and not endpointing.semantic:
            detection = {"type": "server_vad", **_numbers(endpointing)}
        yields = settings.interruptible
        return {**detection, "create_response": settings.answers, "interrupt_response": yields}


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
    return {"type": "response.create", "event_id": f"respond_{turn}", "response": response}


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


def create(item: Event, event_id: str, after: str | None = None) -> Event:
    """The event that adds an item to the conversation, behind the item `after`; None: to the end."""
    event = {"type": "conversation.item.create", "event_id": event_id, "item": item}
    return event if after is None else {**event, "previous_item_id": after}


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


def _tool(tool: Tool) -> Event:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _tool_choice(choice: str) -> str | Event:
    if choice in (ANY_TOOL, NO_TOOL, SOME_TOOL):
        return choice
    return {"type": "function", "name": choice}


def _numbers(endpointing: EndpointerSettings) -> Event:
    return {
        "threshold": endpointing.thresh,
        "prefix_padding_ms": int(endpointing.speech_pad_ms),
        "silence_duration_ms": int(endpointing.min_silence_ms),
    }
