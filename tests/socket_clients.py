"""Clients of the socket mode, on bare sockets."""

import json
import socket
import struct
import threading
import time
import uuid
from typing import Any, Self, overload

import numpy as np

MAGIC = b"\x89S2S\r\n\x1a\n"
AUDIO, CONTROL, EVENT, PLAYED = 1, 2, 3, 4
PATIENCE_S = 60.0
LOUD = (np.full(512, 0.5) * 32767).astype("<i2").tobytes()
"""32 ms that the scripted voice detector takes for speech."""
QUIET = bytes(1024)


class RawClient:
    """Sends and receives int16 audio without framing."""

    def __init__(self, microphone_port: int, loudspeaker_port: int, host: str = "127.0.0.1") -> None:
        self.microphone = socket.create_connection((host, microphone_port))
        self.loudspeaker = socket.create_connection((host, loudspeaker_port))
        self.loudspeaker.settimeout(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.microphone.close()
        self.loudspeaker.close()

    def ask(self) -> None:
        """Send speech and the silence that ends it, faster than real time."""
        self.microphone.sendall(LOUD * 10 + QUIET * 10)

    def ask_live(self) -> None:
        """Send the same in real time, for a client that has just received a reply."""
        self.send_live(LOUD, 10)
        self.send_live(QUIET, 10)

    def send_live(self, block: bytes, count: int) -> None:
        """Send a block of 32 ms `count` times, in real time."""
        for _ in range(count):
            self.send_audio(block)
            time.sleep(0.032)

    def send_audio(self, data: bytes) -> None:
        self.microphone.sendall(data)

    def receive(self, count: int) -> bytes:
        """Receive this many bytes of the reply."""
        data = b""
        while len(data) < count:
            block = self.loudspeaker.recv(count - len(data))
            if not block:
                break
            data += block
        return data

    def receive_all(self) -> bytes:
        """Receive the reply until the server hangs up."""
        return self.receive(1 << 30)


def hello(session: str, **fields: Any) -> bytes:
    payload = json.dumps({"session": session, **fields}).encode()
    return struct.pack("<8sHI", MAGIC, fields.pop("version", 1), len(payload)) + payload


def frame(kind: int, payload: bytes = b"", turn: int = 0, sample: int = 0) -> bytes:
    return struct.pack("<B3xIIQ", kind, len(payload), turn, sample) + payload


class FramedClient(RawClient):
    """Says hello on both ports and speaks frames."""

    def __init__(self, microphone_port: int, loudspeaker_port: int, **fields: Any) -> None:
        super().__init__(microphone_port, loudspeaker_port)
        self.session = uuid.uuid4().hex
        for connection in (self.microphone, self.loudspeaker):
            connection.sendall(hello(self.session, **fields))

    def ask(self) -> None:
        self.send(frame(AUDIO, LOUD * 10 + QUIET * 10))

    def send_audio(self, data: bytes) -> None:
        self.send(frame(AUDIO, data))

    def send(self, data: bytes) -> None:
        self.microphone.sendall(data)

    def next_frame(self) -> tuple[int, int, int, bytes]:
        """Receive the next frame: kind, turn, sample and payload; kind 0 if the server hung up."""
        header = self.receive(20)
        if len(header) < 20:
            return 0, 0, 0, b""
        kind, length, turn, sample = struct.unpack("<B3xIIQ", header)
        return kind, turn, sample, self.receive(length)

    @overload
    def until(self, kind: int) -> tuple[int, int, bytes]: ...

    @overload
    def until(self, kind: int, name: str) -> tuple[int, int, dict[str, Any]]: ...

    def until(self, kind: int, name: str = "") -> tuple[int, int, Any]:
        """Wait for the next frame of this kind, and of this name if it is JSON. Returns turn, sample,
        content."""
        while True:
            came, turn, sample, payload = self.next_frame()
            assert came, f"expected a frame of kind {kind} {name}; the server hung up"
            content: Any = json.loads(payload) if came in (CONTROL, EVENT) else payload
            if came == kind and (not name or name in (content.get("type"), content.get("event"))):
                return turn, sample, content

    def welcomed(self) -> "FramedClient":
        self.until(CONTROL, "welcome")
        return self


def in_background(work: Any) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_for(happened: Any, what: str) -> None:
    """Wait for something that happens on another thread without a signal."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"expected {what}"
        threading.Event().wait(0.005)
