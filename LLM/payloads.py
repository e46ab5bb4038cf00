"""Payloads: the JSON objects in the answer of an OpenAI-compatible server, whole or streamed."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import openai

Payload: TypeAlias = Mapping[str, Any]

_FIELD = re.compile(r"(data|event|id|retry)?:")
"""The beginning of a line of server-sent events; one without a name is a comment."""

DONE: Payload = MappingProxyType({"type": "[DONE]"})
"""Stands for the mark with which a stream ends; many servers leave it out."""

_NO_JSON = object()


def payloads(response: openai.APIResponse[Any]) -> Iterator[Payload]:
    """Yield the objects of an answer as they come, whether it is one object or a stream of them, and
    `DONE` if the stream ends with that mark.

    Replaces the streams of the SDK, which find nothing in an answer that is not streamed, and fail if
    there is no empty line between two events. Raises `openai.APIError` for an error in the answer,
    `ValueError` if it is not JSON.
    """
    is_stream, text = False, ""
    for line in _lines(response.iter_bytes()):
        is_stream = is_stream or (not text.strip() and _FIELD.match(line) is not None)
        if is_stream:
            name, _, line = line.partition(":")
            if not name and not line and text.strip():
                raise ValueError("expected JSON in an event")
            if name != "data":
                continue
            if line.strip() == "[DONE]":
                yield DONE
                return
        text += f"{line}\n"
        if is_stream and (event := _parsed(text)) is not _NO_JSON:
            text = ""
            yield from _checked(event, response)
    if text.strip():
        yield from _checked(json.loads(text), response)


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from map(_decoded, lines)
    yield _decoded(rest)


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip("\r\ufeff")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return _NO_JSON


def _checked(value: Any, response: openai.APIResponse[Any]) -> Iterator[Payload]:
    """The value if it is an object. Raises `openai.APIError` if it reports an error."""
    if not isinstance(value, Mapping):
        return
    error, kind, whole = value.get("error"), value.get("type"), value.get("response", value)
    whole = whole if isinstance(whole, Mapping) else {}
    if "error" in (kind, value.get("object")):
        error = error or value
    elif kind == "response.failed" or whole.get("status") == "failed":
        error = whole.get("error") or whole or value
    if error:
        message = error.get("message") if isinstance(error, Mapping) else error
        raise openai.APIError(
            message if isinstance(message, str) else "an error without a message",
            response.http_request,
            body=error,
        )
    yield value
