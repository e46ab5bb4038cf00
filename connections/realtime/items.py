"""Items of a Realtime conversation, and the messages of our own that they are."""

from typing import Any

from openai.types.realtime import (
    RealtimeConversationItemAssistantMessage,
    RealtimeConversationItemFunctionCall,
    RealtimeConversationItemFunctionCallOutput,
    RealtimeConversationItemSystemMessage,
    RealtimeConversationItemUserMessage,
)
from openai.types.realtime.conversation_item import ConversationItem

from pipeline.messages import ChatMessage, ToolCall

COMPLETED, INCOMPLETE, IN_PROGRESS = "completed", "incomplete", "in_progress"

_COMMON: dict[str, Any] = {"object": "realtime.item"}


def message_of(item: Any) -> ChatMessage:
    """What an item says to a language model; without words where it has none."""
    if isinstance(item, RealtimeConversationItemFunctionCall):
        call = ToolCall(item.call_id or item.id or "", item.name, item.arguments)
        return ChatMessage("assistant", "", (call,))
    if isinstance(item, RealtimeConversationItemFunctionCallOutput):
        return ChatMessage("tool", item.output, answers=item.call_id)
    parts = (part.text or getattr(part, "transcript", None) or "" for part in item.content)
    return ChatMessage(item.role, "\n".join(filter(None, parts)))


def item_of(id: str, message: ChatMessage, *, heard: bool, cut_short: bool = False) -> ConversationItem:
    """An item as a client gets it. `heard`: it was said aloud, by whomever."""
    status = INCOMPLETE if cut_short else COMPLETED
    if message.answers:
        return RealtimeConversationItemFunctionCallOutput(
            **_COMMON,
            id=id,
            type="function_call_output",
            call_id=message.answers,
            output=message.content,
            status="completed",
        )
    if message.calls:
        return call_item(id, message.calls[0], status)
    if message.role == "assistant":
        return assistant_item(id, status, message.content, spoken=heard)
    if message.role == "user":
        return user_item(id, COMPLETED, message.content, spoken=heard)
    return RealtimeConversationItemSystemMessage.model_validate(
        {
            **_COMMON,
            "id": id,
            "type": "message",
            "role": "system",
            "status": COMPLETED,
            "content": [{"type": "input_text", "text": message.content}],
        }
    )


def call_item(id: str, call: ToolCall, status: str) -> RealtimeConversationItemFunctionCall:
    """The model asks for a function."""
    return RealtimeConversationItemFunctionCall.model_validate(
        {
            **_COMMON,
            "id": id,
            "type": "function_call",
            "status": status,
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
    )


def user_item(
    id: str, status: str, text: str | None, *, spoken: bool
) -> RealtimeConversationItemUserMessage:
    """What the user said, or typed. Spoken, its words may not be known yet."""
    part = (
        {"type": "input_audio", "transcript": text} if spoken else {"type": "input_text", "text": text}
    )
    return RealtimeConversationItemUserMessage.model_validate(
        {**_COMMON, "id": id, "type": "message", "role": "user", "status": status, "content": [part]}
    )


def assistant_item(
    id: str, status: str, text: str, *, spoken: bool
) -> RealtimeConversationItemAssistantMessage:
    """What was answered; without a text it has no content yet."""
    part = (
        {"type": "output_audio", "transcript": text} if spoken else {"type": "output_text", "text": text}
    )
    return RealtimeConversationItemAssistantMessage.model_validate(
        {
            **_COMMON,
            "id": id,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": [part] if text else [],
        }
    )
