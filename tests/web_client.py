"""A client of the WebSocket, for tests: real sockets, through the `websockets` package."""

import contextlib
import json
import socket
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pipeline.audio import to_pcm16

PATIENCE_S = 60.0
RATE_HZ = 24000


class WebClient:
    """Says loud and quiet audio, and keeps all messages it receives."""

    def __init__(self, port: int, query: str = "", **options: Any) -> None:
        self.rate_hz = RATE_HZ
        self.messages: list[dict[str, Any]] = []
        self.audio: list[bytes] = []
        self._stack = contextlib.ExitStack()
        options |= {"compression": None, "max_size": None, "open_timeout": PATIENCE_S}
        self.socket: ClientConnection = self._stack.enter_context(
            connect(f"ws://127.0.0.1:{port}/ws{query}", **options)
        )

    def __enter__(self) -> "WebClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye."""
        self._stack.close()

    def drop(self) -> None:
        """Disconnect without a goodbye, as in a tunnel."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)

    @property
    def key(self) -> str:
        """The key to resume the session with."""
        return str(self.until("welcome")["key"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that have come so far."""
        return [message for message in self.messages if message["type"] == "event"]

    def say(self, ms: int, level: float = 0.5) -> None:
        """Say `ms` of audio in packets of 20 ms, as fast as they can be sent."""
        packet = to_pcm16(np.full(self.rate_hz // 50, level, np.float32))
        for _ in range(ms // 20):
            self.socket.send(packet)

    def ask(self) -> None:
        """Ask a question, and wait for the answer to begin."""
        self.say(400)
        self.say(600, 0.0)
        self.until("ReplyStarted")

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message in JSON."""
        self.socket.send(json.dumps({"type": kind, **fields}))

    def until(self, kind: str) -> dict[str, Any]:
        """Wait for the next message of this type, or the next event of this name."""
        while True:
            message = self.receive()
            if message is not None and kind in (message["type"], message.get("event")):
                return message

    def receive(self) -> dict[str, Any] | None:
        """Receive the next message; None for audio."""
        data = self.socket.recv(PATIENCE_S)
        if isinstance(data, bytes):
            self.audio.append(data)
            return None
        message: dict[str, Any] = json.loads(data)
        self.messages.append(message)
        return message

    def until_closed(self) -> int:
        """Wait for the end of the connection and return its code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.receive()
        return self.socket.close_code or 0
