"""The events that a client of the Realtime protocol may send, in the types of the `openai` package."""

import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic
import pydantic_core
from openai.types.realtime import (
    ConversationItemCreateEvent,
    RealtimeClientEvent,
    RealtimeConversationItemAssistantMessage,
    RealtimeConversationItemFunctionCall,
    RealtimeConversationItemFunctionCallOutput,
    RealtimeConversationItemSystemMessage,
    RealtimeConversationItemUserMessage,
    RealtimeResponseCreateParams,
    RealtimeSessionCreateRequest,
    ResponseCreateEvent,
    SessionUpdateEvent,
)
from pydantic import BaseModel, Discriminator, Tag

from connections.access.json_mistake import mistake_in
from connections.realtime.support import UNKNOWN, refused
from pipeline.errors import ProtocolError
from pipeline.words import well_formed_json


class Refusal(ProtocolError):
    """An event of a client, or a part of it, is refused; `param` names the field, `event_id` the event,
    if the client gave it an id."""

    def __init__(
        self, text: str, code: str = "invalid_value", param: str | None = None, event_id: Any = None
    ) -> None:
        super().__init__(text, code)
        self.param = param
        self.event_id = event_id if isinstance(event_id, str) else None


class ItemReference(BaseModel):
    """An item of the conversation, by its id."""

    type: Literal["item_reference"]
    id: str


def _kind_of_item(item: Any) -> str:
    kind = item.get("type") if isinstance(item, dict) else getattr(item, "type", None)
    role = item.get("role") if isinstance(item, dict) else getattr(item, "role", None)
    return f"{kind} {role}".upper() if kind == "message" else f"{kind}".upper()


# OpenAI's unions are resolved by trying each member, with an error for each; ours by the item's type.
# Tags are in capitals so that `decode` can leave them out of the path that an error names.
Item: typing.TypeAlias = Annotated[
    Annotated[RealtimeConversationItemSystemMessage, Tag("MESSAGE SYSTEM")]
    | Annotated[RealtimeConversationItemUserMessage, Tag("MESSAGE USER")]
    | Annotated[RealtimeConversationItemAssistantMessage, Tag("MESSAGE ASSISTANT")]
    | Annotated[RealtimeConversationItemFunctionCall, Tag("FUNCTION_CALL")]
    | Annotated[RealtimeConversationItemFunctionCallOutput, Tag("FUNCTION_CALL_OUTPUT")]
    | Annotated[ItemReference, Tag("ITEM_REFERENCE")],
    Discriminator(_kind_of_item),
]


class ItemCreate(ConversationItemCreateEvent):
    """OpenAI's event, without the items of MCP."""

    item: Item  # type: ignore[assignment]


class ResponseParams(RealtimeResponseCreateParams):
    """OpenAI's parameters; the input may also name items of the conversation."""

    input: list[Item] | None = None  # type: ignore[assignment]


class ResponseCreate(ResponseCreateEvent):
    """OpenAI's event, with our parameters."""

    response: ResponseParams | None = None


class SessionUpdate(SessionUpdateEvent):
    """OpenAI's event, without sessions that only transcribe."""

    session: RealtimeSessionCreateRequest


_OURS: dict[type[BaseModel], type[BaseModel]] = {
    ConversationItemCreateEvent: ItemCreate,
    ResponseCreateEvent: ResponseCreate,
    SessionUpdateEvent: SessionUpdate,
}
KINDS: dict[str, type[BaseModel]] = {
    typing.get_args(kind.model_fields["type"].annotation)[0]: _OURS.get(kind, kind)
    for kind in typing.get_args(typing.get_args(RealtimeClientEvent)[0])
}
"""The models of the events, by their `type`."""


def decode(text: str) -> tuple[Any, list[Refusal]]:
    """An event, and refusals of the parts that are not supported. Raises `Refusal` for all of it."""
    try:
        fields = pydantic_core.from_json(well_formed_json(text))
    except ValueError as error:
        raise Refusal("expected JSON", "invalid_json") from error
    if not isinstance(fields, dict):
        raise Refusal(f"expected an object with a type, got a {type(fields).__name__}", "invalid_event")
    event_id, name = fields.get("event_id"), fields.get("type")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(sorted(KINDS))
        raise Refusal(
            f"expected a type of {known}, got {name!r:.100}", "unknown_event", "type", event_id
        )
    try:
        event = kind.model_validate(fields)
    except pydantic.ValidationError as error:
        first = _first_error(error)
        param = ".".join(str(part) for part in first["loc"] if not str(part)[:1].isupper())
        raise Refusal(f"{param}: {mistake_in(first)}", param=param, event_id=event_id) from error
    refusals = [
        Refusal(why, "unsupported", param, event_id)
        for param, value in _given(event)
        if (why := refused(param, value)) is not None
    ]
    return event, refusals


def _first_error(error: pydantic.ValidationError) -> pydantic_core.ErrorDetails:
    """The first error that concerns the client's mistake. OpenAI's unions are resolved by trying each
    member, and the errors of members with another `type` say nothing about it."""
    errors = error.errors(include_url=False)
    kinds = [e["loc"] for e in errors if e["loc"][-1:] == ("type",) and e["type"] == "literal_error"]
    meant = [e for e in errors if not any(e["loc"][: len(kind) - 1] == kind[:-1] for kind in kinds)]
    return (meant or errors)[0]


def _given(model: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    """The fields that a client set, by path."""
    for name in sorted(model.model_fields_set):
        param = f"{path}{name}"
        value = getattr(model, name) if name in type(model).model_fields else UNKNOWN
        yield param, value
        parts = (
            {f"{param}[{i}]": part for i, part in enumerate(value)} if isinstance(value, list) else {}
        )
        for place, part in (parts or {param: value}).items():
            if isinstance(part, BaseModel):
                yield from _given(part, f"{place}.")
