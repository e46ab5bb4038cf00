"""The OpenAI chat protocol: from our messages and tools to theirs."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from LLM.calls import json_object
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, NO_TOOL, SOME_TOOL, Tool
from pipeline.words import well_formed
from utils.wav import as_wav


def as_messages(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """The messages in the form of the protocol."""
    return [_as_message(message) for message in messages]


def mended_arguments(arguments: str) -> str:
    """The arguments of a call as a JSON object, or "{}" if they are not one: a server that parses them
    would refuse this conversation forever."""
    try:
        return json.dumps(json_object(arguments) or {}, ensure_ascii=False, allow_nan=False)
    except ValueError:  # a number beyond all bounds
        return "{}"


def sendable(value: Any) -> Any:
    """A JSON value whose texts are made valid Unicode; others cannot be sent."""
    if isinstance(value, str):
        return value if value.isascii() else well_formed(value)
    if isinstance(value, dict):
        return {sendable(name): sendable(inner) for name, inner in value.items()}
    return [sendable(inner) for inner in value] if isinstance(value, list) else value


def as_tools(tools: Sequence[Tool], choice: str) -> dict[str, Any]:
    """The part of a request that says which functions there are; empty without any, since some servers
    refuse an empty list."""
    if not tools:
        return {}
    functions = [
        {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        for tool in tools
    ]
    chosen: Any = choice
    if choice not in (ANY_TOOL, NO_TOOL, SOME_TOOL):
        chosen = {"type": "function", "function": {"name": choice}}
    return {
        "tools": [{"type": "function", "function": function} for function in functions],
        "tool_choice": chosen,
    }


def _as_message(message: ChatMessage) -> dict[str, Any]:
    if message.answers:
        return {"role": "tool", "tool_call_id": message.answers, "content": message.content}
    fields: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.audio is not None:
        wav = base64.b64encode(as_wav(message.audio.samples, message.audio.sample_rate_hz)).decode()
        words = [{"type": "text", "text": message.content}] if message.content else []
        sound = {"type": "input_audio", "input_audio": {"data": wav, "format": "wav"}}
        fields["content"] = [*words, sound]
    if message.calls:
        fields["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": mended_arguments(call.arguments)},
            }
            for call in message.calls
        ]
    return fields
