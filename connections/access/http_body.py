"""The body of a request, within bounds."""

import asyncio

from fastapi.requests import Request

from pipeline.errors import ProtocolError

BODY_S = 30.0
"""Time that a short body may take. A slower client would hold its place for ever."""


async def body_of(request: Request, max_bytes: int, within_s: float = BODY_S) -> bytes:
    """The whole body. Raises `ProtocolError` as soon as it is longer than `max_bytes`, or takes longer
    than `within_s`."""
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for piece in request.stream():
                body += piece
                if len(body) > max_bytes:
                    raise ProtocolError(f"expected at most {max_bytes} bytes", "too_long")
    except TimeoutError:
        raise ProtocolError(f"expected the whole body within {within_s:g} s", "too_slow") from None
    return bytes(body)
