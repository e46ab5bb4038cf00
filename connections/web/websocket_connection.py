"""WebSocketConnection: carries messages between a WebSocket and its client until either side ends it."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from fastapi import WebSocket
from fastapi.websockets import WebSocketDisconnect, WebSocketState

from connections.access.authenticator import address_of
from connections.access.client_registry import Client, ClientRegistry
from connections.base import beginning_session
from pipeline.errors import ProtocolError

logger = logging.getLogger(__name__)

CLOSED = {
    "bad_message": 1007, "flood": 1008, "unauthorized": 1008, "forbidden": 1008, "too_long": 1009,
    "internal_error": 1011, "full": 1013, "too_often": 1013, "ended": 1000, "gone": 4001,
    "replaced": 4002,
}  # fmt: skip
"""Close codes of the WebSocket, by the code of the error (RFC 6455; from 4000 on our own)."""

LAST_WORDS_S = 5.0
"""Time for the last messages to a client, which may not be reading. Then the connection is dropped."""

GONE = (WebSocketDisconnect, RuntimeError, OSError)
"""Errors of sending to a client that has just gone."""


class WebSocketConnection:
    """One connection. `describe` encodes an error in the protocol of its clients."""

    def __init__(
        self, websocket: WebSocket, registry: ClientRegistry, describe: Callable[[ProtocolError], str]
    ) -> None:
        self._websocket = websocket
        self._registry = registry
        self._describe = describe
        self._client: Client
        self._over: asyncio.Future[ProtocolError] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._unsent: deque[str | bytes] = deque()

    async def talk(
        self, find_client: Callable[[], Client], protocol: str, received: int | None = None
    ) -> None:
        """Serve the connection from its beginning to its end. `received`: number of events that have
        come in the session that it resumes; None: it begins one."""
        offered = self._websocket.scope["subprotocols"]
        await self._websocket.accept(subprotocol=protocol if protocol in offered else None)
        with self._registry.connection():
            try:
                with beginning_session():
                    self._client = find_client()
            except ProtocolError as error:
                await self._refuse(error)
                return
            await self._serve(received)

    async def _serve(self, received: int | None) -> None:
        """Send and receive until either side hangs up."""
        self._registry.attached(self._client, self._leave)
        self._client.attach(received)
        self._tasks = [asyncio.create_task(work) for work in (self._send(), self._receive())]
        waited_for: list[asyncio.Future[Any]] = [*self._tasks, self._over]
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        self._cancel()
        refusal: ProtocolError | None = None
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, ProtocolError):
                refusal = ended
            elif isinstance(ended, Exception) and not isinstance(ended, GONE):
                logger.error("a connection failed", exc_info=ended)
        if self._over.done():
            await self._hang_up(self._over.result())
            return
        self._client.detach()
        if refusal is None:
            self._registry.dropped(self._client)
        else:
            self._registry.left(self._client)  # before it is told: it may not be reading
            await self._refuse(refusal)

    def _leave(self, error: ProtocolError) -> None:
        """Hang up. From now on nothing is taken from the client, which may have another connection."""
        if not self._over.done():
            self._over.set_result(error)
            self._cancel()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _send(self) -> None:
        while True:
            await self._pass_on(await self._client.next_messages())

    async def _pass_on(self, messages: list[str | bytes]) -> None:
        self._unsent.extend(messages)
        while self._unsent:
            message = self._unsent[0]
            if isinstance(message, bytes):
                await self._websocket.send_bytes(message)
            else:
                await self._websocket.send_text(message)
            self._unsent.popleft()

    async def _receive(self) -> None:
        """Raises `ProtocolError` if the connection has to end."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                if message.get("code") == 1000:  # the client hung up, and was not cut off
                    self._registry.left(self._client)
                return
            if self._over.done():
                return  # the connection that took over has told the client what had come until then
            data = message.get("bytes")
            await self._client.receive(message["text"] if data is None else data)

    async def _refuse(self, error: ProtocolError) -> None:
        facts = {"peer": address_of(self._websocket), "code": error.code}
        logger.info("refused: %s", error, extra=facts)
        await self._hang_up(error)

    async def _hang_up(self, error: ProtocolError) -> None:
        """Tell the client its last events, beginning with those on which sending was cancelled, and why
        it ends, then close."""
        with contextlib.suppress(*GONE, TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                if error.code == "ended":
                    await self._pass_on(self._client.take_messages())
                if self._websocket.application_state is WebSocketState.CONNECTED:
                    await self._websocket.send_text(self._describe(error))
                    await self._websocket.close(CLOSED[error.code])
