"""ServerEvents: numbers and encodes the events for a client of the Realtime protocol."""

from collections.abc import Callable
from itertools import count
from typing import Any, Protocol, TypeVar

from openai.types.realtime import RealtimeError, RealtimeErrorEvent
from pydantic import BaseModel

Event = TypeVar("Event", bound=BaseModel)

INVALID, SERVER = "invalid_request_error", "server_error"


class SendEvent(Protocol):
    """Sends the client an event of this kind, with these fields."""

    def __call__(self, kind: type[BaseModel], **fields: Any) -> None: ...


class ServerEvents:
    """Numbers the events, fills in their types and encodes them as JSON, for `send`."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._numbers = count(1)

    def __call__(self, kind: type[BaseModel], **fields: Any) -> None:
        self._send(self.encode(kind, **fields))

    def error(
        self,
        text: str,
        code: str,
        *,
        type: str = INVALID,
        param: str | None = None,
        event_id: str | None = None,
    ) -> None:
        """Send an error."""
        self._send(self.encode_error(text, code, type=type, param=param, event_id=event_id))

    def encode(self, kind: type[BaseModel], **fields: Any) -> str:
        """An event as JSON. Fields that were set to null are kept."""
        number = f"event_{next(self._numbers)}"
        event = kind(event_id=number, type=kind.model_fields["type"].annotation.__args__[0], **fields)  # type: ignore[union-attr]
        return event.model_dump_json(exclude_unset=True)

    def encode_error(self, text: str, code: str, **fields: Any) -> str:
        """An error as JSON."""
        error = RealtimeError(message=text, code=code, **{"type": INVALID, **fields})
        return self.encode(RealtimeErrorEvent, error=error)
