"""The body of a request, within bounds."""

from fastapi.requests import Request

from pipeline.errors import ProtocolError


async def body_of(request: Request, longest: int) -> bytes:
    """All of it. Raises `ProtocolError` as soon as it is longer than so many bytes."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > longest:
            raise ProtocolError(f"expected at most {longest} bytes", "too_long")
    return body
