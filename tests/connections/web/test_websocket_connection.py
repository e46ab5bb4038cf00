"""WebSocketConnection: two connections of one client at the same moment, and one that is not read."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import WebSocket

from arguments_classes.websocket_arguments import WebSocketArguments
from connections.access.client_registry import ClientRegistry
from connections.access.credentials import Grant
from connections.web.messages import describe
from connections.web.websocket_client import WebSocketClient
from connections.web.websocket_connection import WebSocketConnection
from testing.server import ScriptedWebServer

PATIENCE_S = 20.0


class Line:
    """A client's end of a connection: keeps what was sent to it, and can stop reading."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.full = asyncio.Event()
        """Set once a message waits for the client to read."""
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received.put_nowait({"type": "websocket.connect"})

    def socket(self) -> WebSocket:
        scope = {"type": "websocket", "headers": [], "subprotocols": [], "client": ("127.0.0.1", 1)}
        return WebSocket(scope, self._received.get, self._send)

    async def next(self) -> dict[str, Any]:
        """The next message: its JSON, or the type of any other."""
        message = await asyncio.wait_for(self.sent.get(), PATIENCE_S)
        fields: dict[str, Any] = json.loads(message.get("text") or "{}")
        return {"type": message["type"], **fields}

    async def _send(self, message: Any) -> None:
        if not self.reads.is_set():
            self.full.set()
            await self.reads.wait()
        self.sent.put_nowait(message)


class Talk:
    """A client and its registry, on the loop that runs."""

    def __init__(self, server: ScriptedWebServer) -> None:
        arguments = WebSocketArguments(port=0)
        self.registry = ClientRegistry(server._open_session, arguments, server._engines.capabilities)
        self.client = WebSocketClient(24000, full_duplex=True)
        self.registry.register(self.client, "127.0.0.1", Grant(None, b""))

    def connect(self, line: Line, received: int | None) -> "asyncio.Task[None]":
        connection = WebSocketConnection(line.socket(), self.registry, describe)
        find = self.client if received is None else None
        return asyncio.create_task(
            connection.talk(lambda: find or self.registry.resume(self.client.key), "s2s", received)
        )


@pytest.fixture
def server() -> Any:
    server = ScriptedWebServer()
    yield server
    for session in server.sessions:
        session.close()
        session.join()
    server._server.close()


def test_a_connection_that_is_replaced_takes_nothing_more(server: ScriptedWebServer) -> None:
    """Otherwise the old one, which was just told that there is something to send, would send the welcome
    of the new one."""

    async def talk() -> None:
        talk, old, new = Talk(server), Line(), Line()
        first = talk.connect(old, None)
        assert (await old.next())["type"] == "websocket.accept"
        assert (await old.next())["type"] == "welcome"
        talk.client.flush(1, 0)
        second = talk.connect(new, 0)
        assert (await new.next())["type"] == "websocket.accept"
        assert [(await new.next())["type"] for _ in range(2)] == ["welcome", "flush"]
        await first
        assert (await old.next())["code"] == "replaced"
        talk.registry.left(talk.client)
        await second

    asyncio.run(talk())


def test_the_last_messages_wait_for_a_client_that_reads_late(server: ScriptedWebServer) -> None:
    async def talk() -> None:
        talk, line = Talk(server), Line()
        connection = talk.connect(line, None)
        assert (await line.next())["type"] == "websocket.accept"
        assert (await line.next())["type"] == "welcome"
        line.reads.clear()
        for gain in (0.25, 1.0):
            talk.client.duck(1, gain)
        await asyncio.wait_for(line.full.wait(), PATIENCE_S)
        talk.registry.left(talk.client)
        session = server.sessions[0]
        await asyncio.to_thread(session.join)
        await asyncio.sleep(0)  # for the end of the session to come, and with it that of the sending
        line.reads.set()
        await connection
        told = [await line.next() for _ in range(line.sent.qsize())]
        gains = [message["gain"] for message in told if message["type"] == "duck"]
        assert gains == [0.25, 1.0]
        kinds = [message.get("event") or message["type"] for message in told]
        assert kinds[-3:] == ["SessionEnded", "error", "websocket.close"]

    asyncio.run(talk())
