"""The line to a server: to ours, to a bare TCP socket, to a WebSocket."""

import asyncio
import base64
import os
import struct
import uuid
from collections.abc import AsyncIterator
from typing import Protocol

import numpy as np

from benchmarks.client import DECISION_SAMPLES
from benchmarks.speech import RATE_HZ
from connections.wire import FrameKind, FrameReader, Hello, WireFrame, encode_hello

HOST = "127.0.0.1"
DECIDED = struct.Struct("<Q")
"""In front of the audio of the peers: how many samples had come when their VAD decided."""

TONE = np.full(RATE_HZ, 3000, "<i2").tobytes()
"""What the bare server answers: one second of a constant, as int16."""


class Line(Protocol):
    """Carries int16 audio at 16 kHz both ways. In full duplex: the microphone is always listened to."""

    async def open(self) -> None:
        """Connect."""
        ...

    def send(self, packet: bytes, sample: int) -> None:
        """A piece of what is said, which begins at this sample."""
        ...

    def heard(self) -> AsyncIterator[int]:
        """For each piece of an answer that arrives: after how many samples its server decided."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class FramedLine:
    """Our two ports."""

    def __init__(self, ports: tuple[int, int]) -> None:
        self._ports = ports

    async def open(self) -> None:
        self._microphone = (await asyncio.open_connection(HOST, self._ports[0]))[1]
        self._answer, self._loudspeaker = await asyncio.open_connection(HOST, self._ports[1])
        hello = encode_hello(Hello(uuid.uuid4().hex, full_duplex=True))
        self._microphone.write(hello)
        self._loudspeaker.write(hello)

    def send(self, packet: bytes, sample: int) -> None:
        self._microphone.write(WireFrame(FrameKind.AUDIO, packet, sample=sample).encode())

    async def heard(self) -> AsyncIterator[int]:
        frames, decided = FrameReader(), 0
        while data := await self._answer.read(1 << 16):
            for frame in frames.feed(data):
                if frame.kind is FrameKind.AUDIO:
                    yield decided
                elif frame.kind is FrameKind.EVENT and frame.json()["event"] == "SpeechEnded":
                    decided = frame.json()["speech_end_sample"] + DECISION_SAMPLES

    def close(self) -> None:
        self._microphone.close()
        self._loudspeaker.close()


class BareLine:
    """One port, nothing but audio."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(HOST, self._port)

    def send(self, packet: bytes, sample: int) -> None:
        self._writer.write(packet)

    async def heard(self) -> AsyncIterator[int]:
        while True:
            (decided,) = DECIDED.unpack(await self._reader.readexactly(DECIDED.size))
            yield decided
            await self._reader.readexactly(len(TONE))

    def close(self) -> None:
        self._writer.close()


class WebSocketLine:
    """As much of RFC 6455 as carries audio within a machine; the mask is zero, which changes nothing."""

    _BINARY, _PING, _PONG = 2, 9, 10

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET {self._path} HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\n"
        head += f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        self._writer.write(head.encode())
        status = (await self._reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]
        if b" 101 " not in status:
            raise ConnectionError(f"expected a WebSocket, got {status.decode()}")

    def send(self, packet: bytes, sample: int) -> None:
        self._write(self._BINARY, packet)

    async def heard(self) -> AsyncIterator[int]:
        while True:
            first, length = await self._reader.readexactly(2)
            if length > 125:
                size = 2 if length == 126 else 8
                length = int.from_bytes(await self._reader.readexactly(size), "big")
            payload = await self._reader.readexactly(length)
            if first & 15 == self._BINARY:
                yield DECIDED.unpack_from(payload)[0]
            elif first & 15 == self._PING:
                self._write(self._PONG, payload)

    def close(self) -> None:
        self._writer.close()

    def _write(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        size = bytes([128 | length]) if length < 126 else bytes([128 | 126]) + struct.pack(">H", length)
        self._writer.write(bytes([128 | kind]) + size + bytes(4) + payload)
