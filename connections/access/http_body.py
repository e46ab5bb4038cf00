"""The body of a request, within bounds."""

from fastapi.requests import Request

from pipeline.errors import ProtocolError


async def body_of(request: Request, max_bytes: int) -> bytes:
    """The whole body. Raises `ProtocolError` as soon as it is longer than `max_bytes`."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > max_bytes:
            raise ProtocolError(f"expected at most {max_bytes} bytes", "too_long")
    return bytes(body)
