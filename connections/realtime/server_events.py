"""ServerEvents: numbers and encodes the events for a client of the Realtime protocol."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Protocol

from openai.types.realtime import RealtimeError, RealtimeErrorEvent
from pydantic import BaseModel

from connections.realtime.client_events import Refusal
from pipeline.error_report import lost_event
from pipeline.errors import EngineError, SessionBusy, SessionClosed

INVALID, SERVER = "invalid_request_error", "server_error"


class SendEvent(Protocol):
    """Sends the client an event of this kind, with these fields."""

    def __call__(self, kind: type[BaseModel], **fields: Any) -> None: ...


class ServerEvents:
    """Numbers the events, fills in their types and encodes them as JSON, for `send`.

    If an event cannot be built or encoded, the client gets an error in its place.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._numbers = count(1)

    def __call__(self, kind: type[BaseModel], **fields: Any) -> None:
        with self.instead_of(kind.__name__):
            self._send(self.encode(kind, **fields))

    @contextmanager
    def instead_of(self, name: str, event_id: str | None = None) -> Iterator[None]:
        """Send an error if the block, which the event `name` has caused, fails."""
        try:
            yield
        except Exception as error:
            lost = lost_event(name, error)
            self.error(lost.text, lost.code, type=SERVER, event_id=event_id)

    @contextmanager
    def replying_to(self, event_id: str | None) -> Iterator[None]:
        """Answer errors in the block, which carries out an event of the client."""
        try:
            yield
        except Refusal as refusal:
            self.refuse(refusal, event_id)
        except EngineError as error:
            self.error(str(error), error.code, type=SERVER, event_id=event_id)
        except (SessionBusy, SessionClosed) as error:
            self.error(str(error), "busy", type=SERVER, event_id=event_id)

    def refuse(self, refusal: Refusal, event_id: str | None) -> None:
        """Refuse an event of the client, or a part of it."""
        self.error(str(refusal), refusal.code, param=refusal.param, event_id=event_id)

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
