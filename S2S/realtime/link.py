"""Link: the WebSocket of one conversation, reopened if it breaks."""

import asyncio
import json
import logging
import random
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from pipeline.errors import EngineError
from S2S.realtime.server import RealtimeServer

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 30.0
"""Pause before the second attempt to connect, doubled for each further one, with jitter of up to a
third: the sessions of a program should not all come back at the same moment. The first attempt is made
at once, since many servers end a session after an hour."""

PROVEN_S = 10.0
"""A connection that lasted this long, or on which the server answered, is a good one. A server that
greets and hangs up at once, say for lack of credit, is called ever less often."""

MAX_AUDIO_S = 5.0
"""Audio that may wait for the server, as much as for a stage of ours (`BACKLOG_S` of the intake)."""

MAX_WAITING = 10_000
"""Events other than audio that may wait; a server that leaves so many unread counts as gone."""


class LinkUser(Protocol):
    """The object at our end of a link. Called on the thread of the loop; must not wait."""

    def on_open(self) -> None:
        """The server has greeted; it does not know the conversation yet."""
        ...

    def on_event(self, text: str | bytes) -> None:
        """An event of the server."""
        ...

    def on_lost(self, error: EngineError, is_first: bool) -> None:
        """The connection is lost, or could not be opened; `is_first`: the one before was good."""
        ...


class Link:
    """Carries the events of one conversation in both directions, in order. Used on the thread of the
    loop only; `run` ends when it is cancelled.

    Events may be sent before the first connection is open. While a lost connection is being reopened,
    events are refused.
    """

    def __init__(self, server: RealtimeServer, user: LinkUser) -> None:
        self._server = server
        self._user = user
        self._waiting: deque[tuple[str, float]] = deque()
        """Events as JSON, and the seconds of audio in each."""
        self._audio_s = 0.0
        self._wake = asyncio.Event()
        self._is_lost = False
        self._is_proven = False

    @property
    def is_lost(self) -> bool:
        """True while the connection is broken."""
        return self._is_lost

    def send(self, event: Mapping[str, Any]) -> None:
        """Send an event."""
        self._put(json.dumps(event), 0.0)

    def send_audio(self, event: str, seconds: float) -> bool:
        """Send an event with audio. Returns False if it was left out, since the server is not
        reading."""
        return self._audio_s < MAX_AUDIO_S and self._put(event, seconds)

    def prove(self) -> None:
        """Note that the server has answered: the connection is a good one."""
        self._is_proven = True

    async def run(self) -> None:
        """Connect, carry events, and connect again after a loss."""
        loop, pause_s = asyncio.get_running_loop(), 0.0
        while True:
            self._is_proven = False
            try:
                async with self._server.connection() as socket:
                    opened_at = loop.time()
                    lost = await self._carry(socket)
                    self._is_proven |= loop.time() - opened_at >= PROVEN_S
            except EngineError as error:
                lost = error
            if self._is_proven:
                pause_s = 0.0
            self._lose(lost, is_first=pause_s == 0.0)
            await _pause(pause_s * random.uniform(1, 1.33))
            pause_s = min(max(2 * pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)

    def _put(self, text: str, audio_s: float) -> bool:
        if self._is_lost:
            return False
        if len(self._waiting) >= MAX_WAITING:
            self._wake.set()  # `_write` finds the overflow
            return False
        self._waiting.append((text, audio_s))
        self._audio_s += audio_s
        self._wake.set()
        return True

    def _lose(self, error: EngineError, *, is_first: bool) -> None:
        self._is_lost = True
        self._waiting.clear()
        self._audio_s = 0.0
        self._user.on_lost(error, is_first)

    async def _carry(self, socket: ClientConnection) -> EngineError:
        """Carry events until the connection ends. Returns the reason."""
        self._is_lost = False
        early, self._waiting = self._waiting, deque()
        self._user.on_open()
        self._waiting.extend(early)  # after the settings, which `on_open` has sent
        self._wake.set()
        tasks = {asyncio.create_task(self._write(socket)), asyncio.create_task(self._read(socket))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        error = next((task.exception() for task in done if not task.cancelled()), None)
        if not isinstance(error, (ConnectionClosed, OSError)):
            logger.error("a connection to %s failed", self._server.where, exc_info=error)
        closed = error.rcvd if isinstance(error, ConnectionClosed) else None
        code = "" if closed is None else f" (it hung up with the code {closed.code})"
        text = f"the connection to {self._server.where} was lost{code}; reconnecting"
        return EngineError(text, "connection_lost")

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if len(self._waiting) >= MAX_WAITING:
                raise OSError("the server has stopped reading")
            while self._waiting:
                text, audio_s = self._waiting.popleft()
                self._audio_s -= audio_s
                await socket.send(text)

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            self._user.on_event(await socket.recv())


async def _pause(seconds: float) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()
