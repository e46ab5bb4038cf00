"""Items of a Realtime conversation: converts them to and from our own messages."""

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
    """The message of an item to a language model; its content is empty if the item has no words."""
    if isinstance(item, RealtimeConversationItemFunctionCall):
        call = ToolCall(item.call_id or item.id or "", item.name, item.arguments)
        return ChatMessage("assistant", "", (call,))
    if isinstance(item, RealtimeConversationItemFunctionCallOutput):
        return ChatMessage("tool", item.output, answers=item.call_id)
    parts = (part.text or getattr(part, "transcript", None) or "" for part in item.content)
    return ChatMessage(item.role, "\n".join(filter(None, parts)))


def item_of(id: str, message: ChatMessage, *, heard: bool, cut_short: bool = False) -> ConversationItem:
    """An item for the client. `heard`: it was spoken, by the user or by the program."""
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
    """An item in which the model calls a function."""
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
    """An item of the user, spoken or typed. The words of a spoken one may not be known yet."""
    part = (
        {"type": "input_audio", "transcript": text} if spoken else {"type": "input_text", "text": text}
    )
    return RealtimeConversationItemUserMessage.model_validate(
        {**_COMMON, "id": id, "type": "message", "role": "user", "status": status, "content": [part]}
    )


def assistant_item(
    id: str, status: str, text: str, *, spoken: bool
) -> RealtimeConversationItemAssistantMessage:
    """An item of the assistant; with an empty text it has no content yet."""
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
