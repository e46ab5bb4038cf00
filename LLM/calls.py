"""Calls: the function calls of one answer, assembled from the pieces that a server sends."""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.messages import INVALID_CALL, CutOff, ToolCall
from pipeline.words import WellFormedJSONPieces, well_formed


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object in a text, also if it is encoded twice; None: the text is something else."""
    parsed = _parsed(text)
    if isinstance(parsed, str):
        parsed = _parsed(parsed)
    return parsed if isinstance(parsed, dict) else None


def is_json_object(text: str) -> bool:
    """True if a text is one JSON object, as the arguments of a call must be."""
    return isinstance(_parsed(text), dict)


def new_call_id() -> str:
    """An id for a call to which the server gave none."""
    return f"call_{secrets.token_hex(8)}"


@dataclass(eq=False)
class _Call:
    """One call, as far as it has arrived."""

    index: object
    id: str
    """Never empty, and unique in the answer."""
    server_id: str
    """The server's id; empty if none has arrived."""
    name: str
    arguments: str = ""
    told: int = 0
    """Number of characters of the arguments that were passed on."""
    unicode: WellFormedJSONPieces = field(default_factory=WellFormedJSONPieces)

    @property
    def is_whole(self) -> bool:
        return self.arguments.rstrip().endswith("}") and is_json_object(self.arguments)

    def add(self, arguments: str) -> None:
        if not self.is_whole:
            self.arguments += self.unicode.add(arguments)
        elif self.arguments.strip() == "{}" and not self.told and arguments.lstrip().startswith("{"):
            self.arguments = self.unicode.add(arguments)  # "{}" stood for arguments that follow

    def finish(self, *, cut_off: bool) -> None:
        """Complete the arguments. Missing ones become "{}", unless the call was `cut_off`."""
        self.arguments += self.unicode.rest()
        if self.told:
            return
        parsed = _parsed(self.arguments)
        if isinstance(parsed, str) and is_json_object(parsed):
            self.arguments = parsed  # JSON in JSON
        elif self.arguments.strip() in _EMPTY and not cut_off:
            self.arguments = "{}"


class Calls:
    """Yields the calls one after another, each as pieces with one id and one name. The joined arguments
    are a JSON object, unless the call was cut off.

    Arguments are passed on as they arrive. If the pieces of several calls are interleaved, the later
    calls wait. Pieces belong together by index, or by id where there is no index; ids and names may be
    missing, late, or repeated with each piece.
    """

    def __init__(self, functions: Collection[str] = ()) -> None:
        """`functions` are the names that the model may call, if they are known."""
        self._functions = functions
        self._calls: list[_Call] = []
        self._first_open = 0

    def __len__(self) -> int:
        return len(self._calls)

    def read(self, pieces: Any, *, whole: bool = False) -> Iterator[ToolCall]:
        """Read a list of `tool_calls`; `whole`: each of them is a call, not a piece of one."""
        taken: list[_Call] = []
        for position, piece in enumerate(pieces if isinstance(pieces, list) else [pieces]):
            if not isinstance(piece, Mapping):
                continue
            function = piece.get("function")
            function = function if isinstance(function, Mapping) else {}
            index = position if whole else piece.get("index")
            call = self._add(
                index if isinstance(index, (int, str)) else None,
                piece.get("id"),
                function.get("name"),
                function.get("arguments"),
                taken,
            )
            taken.append(call)
        yield from self._advance()

    def add(self, index: object, id: Any, name: Any, arguments: Any) -> Iterator[ToolCall]:
        """Add a piece of the call with this `index`."""
        self._add(index, id, name, arguments, ())
        yield from self._advance()

    def has_arguments(self, index: object) -> bool:
        """True if the call with this `index` has arguments already."""
        return any(call.index == index and call.arguments for call in self._calls)

    def end(self, *, cut_off: bool) -> Iterator[ToolCall | CutOff]:
        """Yield the rest at the end of the answer; `cut_off`: the last call may be incomplete."""
        for call in self._calls[self._first_open :]:
            call.finish(cut_off=cut_off and call is self._calls[-1])
            rest = call.arguments[call.told :]
            if call.name and (rest or not call.told):
                yield ToolCall(call.id, call.name, rest)
            elif not call.name:
                yield CutOff(INVALID_CALL)

    def _add(self, index: object, id: Any, name: Any, arguments: Any, taken: Collection[_Call]) -> _Call:
        id, name = (well_formed(text) if isinstance(text, str) else "" for text in (id, name))
        if isinstance(arguments, (dict, list)):
            arguments = json.dumps(arguments, ensure_ascii=False)
        elif not isinstance(arguments, str):
            arguments = ""
        call = self._find(index, id, taken)
        if call is None or _is_another(call, id, name, arguments, self._functions):
            used = {known.id for known in self._calls}
            call = _Call(index, id if id and id not in used else new_call_id(), id, name)
            self._calls.append(call)
        elif not call.server_id and id:
            call.server_id = id
            if not call.told and all(known.id != id for known in self._calls):
                call.id = id
        if name and name != call.name and not call.told:
            call.name = name if name.startswith(call.name) else call.name + name
        call.add(arguments)
        return call

    def _find(self, index: object, id: str, taken: Collection[_Call]) -> _Call | None:
        """The latest call to which a piece may belong."""
        if index is None:
            calls = [call for call in self._calls if call not in taken]
        else:
            calls = [call for call in self._calls if call.index == index]
        with_id = [call for call in calls if id and call.server_id == id]
        found = with_id or calls
        return found[-1] if found else None

    def _advance(self) -> Iterator[ToolCall]:
        """Pass on the new part of the first open call, and of the next one once that is whole."""
        while self._first_open < len(self._calls):
            call = self._calls[self._first_open]
            text, is_last = call.arguments, call is self._calls[-1]
            is_object = text.lstrip().startswith("{")
            may_be_replaced = is_last and text.strip() == "{}"
            if call.name and is_object and len(text) > call.told and not may_be_replaced:
                yield ToolCall(call.id, call.name, text[call.told :])
                call.told = len(text)
            if is_last or not (call.name and call.is_whole):
                return
            self._first_open += 1


def _is_another(call: _Call, id: str, name: str, arguments: str, functions: Collection[str]) -> bool:
    """True if a piece begins a new call, and does not continue `call`, the latest candidate."""
    if id and call.server_id and id != call.server_id:
        return bool(name) or call.is_whole
    if name and call.name in functions and name != call.name and not id:
        return True
    repeats = bool(id) and arguments == call.arguments
    return bool(name and arguments.strip()) and not repeats and call.is_whole


_NO_JSON = object()

_EMPTY = ("", '""', "null", "[]")
"""Arguments that servers send instead of "{}"."""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _NO_JSON


def _refuse(constant: str) -> Any:
    raise ValueError(f"expected JSON, got {constant}")
