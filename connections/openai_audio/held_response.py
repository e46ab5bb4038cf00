"""HeldResponse: a streamed response that releases what it holds, however it ends."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

from pipeline.errors import ProtocolError

logger = logging.getLogger(__name__)

STUCK_S = 60.0
"""Longest wait for a client that reads nothing: its place is another client's then."""


class HeldResponse(StreamingResponse):
    """Releases `held` also if the client has gone before the first byte. If an engine
    fails, the response has no end, and the server breaks off the connection: HTTP has no other sign."""

    def __init__(
        self, content: AsyncIterator[str | bytes], media_type: str, held: contextlib.AsyncExitStack
    ) -> None:
        super().__init__(content, media_type=media_type)
        self._held = held

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_in_time(message: Any) -> None:
            try:
                async with asyncio.timeout(STUCK_S):
                    await send(message)
            except TimeoutError:
                raise ProtocolError("its client reads nothing") from None

        async with self._held:
            try:
                await super().__call__(scope, receive, send_in_time)
            except ProtocolError as error:
                logger.warning("a response broke off: %s", error, extra={"path": scope["path"]})
