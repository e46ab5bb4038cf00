"""Encodes events as JSON, for clients and listeners outside the program."""

import json
from typing import Any

from pipeline.error_report import lost_event
from pipeline.events import Event, as_json


def event_json(event: Event, *, ascii: bool = False, **before: Any) -> str:
    """An event as one line of JSON, after the fields `before`. If it cannot be encoded, an `ErrorEvent`
    takes its place."""
    try:
        return _encode(before, event, ascii)
    except (TypeError, ValueError, RecursionError) as error:
        return _encode(before, lost_event(type(event).__name__, error), ascii)


def _encode(before: dict[str, Any], event: Event, ascii: bool) -> str:
    return json.dumps({**before, **as_json(event)}, ensure_ascii=ascii)
