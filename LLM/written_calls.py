"""Function calls that a model writes into the text of its answer, if its server does not parse them."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from LLM.calls import is_json_object, new_call_id
from pipeline.messages import ToolCall

_NAMED = re.compile(r"\s*(?:functions\.)?([\w.-]+)[^{]*(\{.*\})\s*(?:</?\S*>)?\s*", re.DOTALL)
"""A name, any separator, and the arguments: `weather>{"city": "London"}`."""


def calls_in(text: str, functions: Collection[str]) -> list[ToolCall]:
    """The calls in the text between two marks, if all are to known `functions`; else none."""
    try:
        named = list(_as_json(text))
    except (ValueError, RecursionError):
        match = _NAMED.fullmatch(text)
        named = [(match[1], match[2])] if match else []
    if not all(name in functions and is_json_object(arguments) for name, arguments in named):
        return []
    return [ToolCall(new_call_id(), name, arguments) for name, arguments in named]


def _as_json(text: str) -> Iterator[tuple[str, str]]:
    """The names and arguments of calls in JSON: one, a list of them, or one after another. Raises
    `ValueError`."""
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        for call in value if isinstance(value, list) else [value]:
            yield _named(call)
        text = text[end:].lstrip(" \n\t,;")


def _named(call: Any) -> tuple[str, str]:
    if isinstance(call, dict):
        call = call["function"] if isinstance(call.get("function"), dict) else call
        arguments = call.get("arguments", call.get("parameters", {}))
        if isinstance(arguments, (dict, type(None))):
            arguments = json.dumps(arguments or {}, ensure_ascii=False)
        if isinstance(call.get("name"), str) and isinstance(arguments, str):
            return call["name"].removeprefix("functions."), arguments or "{}"
    raise ValueError("expected a function call in JSON")
