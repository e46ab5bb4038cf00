"""The JSON messages of the WebSocket.

Audio travels beside them, as binary messages of little-endian int16, mono, with nothing around it.
"""

import json
import typing
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pipeline.errors import EngineError, ProtocolError
from pipeline.words import well_formed_json

MAX_TEXT = 1 << 16
"""Characters of one message: instructions of several pages."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order to carry out at once."""

    type: Literal["start", "commit", "cancel", "interrupt", "ping"]


@dataclass(frozen=True, slots=True)
class Respond:
    """A request to answer this text."""

    type: ClassVar = "respond"
    text: str


@dataclass(frozen=True, slots=True)
class Played:
    """A report: the client has played `turn` up to `sample`."""

    type: ClassVar = "played"
    turn: int
    sample: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Changes to the `SessionSettings`, by field."""

    type: ClassVar = "settings"
    changes: dict[str, Any]


Message: typing.TypeAlias = Order | Respond | Played | Settings

_ORDERS = typing.get_args(typing.get_type_hints(Order)["type"])


def decode(text: str) -> Message:
    """A message from JSON. Raises `ProtocolError`."""
    if len(text) > MAX_TEXT:
        raise ProtocolError(f"expected at most {MAX_TEXT} characters, got {len(text)}", "too_long")
    try:
        fields = json.loads(well_formed_json(text))
    except (ValueError, RecursionError) as error:
        raise ProtocolError("expected JSON") from error
    if not isinstance(fields, dict):
        raise ProtocolError(f"expected an object with a type, got a {type(fields).__name__}")
    kind = fields.pop("type", None)
    if kind in _ORDERS:
        return Order(kind)
    if kind == "respond":
        return Respond(_text(fields, "text"))
    if kind == "played":
        return Played(_count(fields, "turn"), _count(fields, "sample"))
    if kind == "settings":
        return Settings(fields)
    known = ", ".join((*_ORDERS, "respond", "played", "settings"))
    raise ProtocolError(f"expected a type of {known}, got {kind!r:.100}")


def encode(kind: str, **fields: Any) -> str:
    """A message to a client."""
    return json.dumps({"type": kind, **fields}, ensure_ascii=False)


def describe(error: ProtocolError | EngineError, about: str | None = None) -> str:
    """The message that tells a client of an error; `about`: the type of the message that caused it."""
    return encode("error", code=error.code, text=str(error), about=about)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ProtocolError(f"expected {name} to be text, got {value!r:.100}")
    return value


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ProtocolError(f"expected {name} to be a count, got {value!r:.100}")
    return value
