"""Server-sent events, in the form that OpenAI's clients read."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from connections.access.http_errors import described
from pipeline.errors import ProtocolError

EVENT_STREAM = "text/event-stream"


def server_sent(event: Mapping[str, Any]) -> str:
    """One event."""
    return f"data: {json.dumps(event)}\n\n"


async def with_errors(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """The events; an error after the first becomes an event, since the status has been sent."""
    try:
        async for event in events:
            yield event
    except ProtocolError as error:
        yield server_sent({"error": described(error)})
