"""Line: a connection to a server, through our two ports, our WebSocket, the Realtime protocol, or the
WebSocket of a peer."""

import asyncio
import base64
import json
import math
import os
import struct
import uuid
from collections.abc import AsyncIterator
from typing import Any, Protocol

from benchmarks.speech import RATE_HZ
from connections.tcp.wire import FrameKind, FrameReader, Hello, WireFrame, encode_hello
from pipeline.settings import EndpointerSettings

HOST = "127.0.0.1"
REALTIME_HZ = 24000
"""The rate of audio in the Realtime protocol."""

DECIDED = struct.Struct("<Q")
"""Header of the peers' audio: number of samples received when their VAD decided."""

DECISION_SAMPLES = 512 * math.ceil(EndpointerSettings().min_silence_ms / 32)
"""Samples from the end of the last voiced window to the window at which our VAD decides."""


class Line(Protocol):
    """A connection that carries int16 audio both ways in full duplex: the microphone is always on."""

    rate_hz: int
    errors: list[str]
    """Errors reported by the server."""

    async def open(self) -> None:
        """Connect."""
        ...

    def send(self, packet: bytes) -> None:
        """Send the next packet of the user's audio."""
        ...

    def heard(self) -> AsyncIterator[int]:
        """Yield, for each piece of an answer that arrives, the number of samples at 16 kHz after which
        the server decided that the user had finished. Ends when the server hangs up."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class FramedLine:
    """A connection to our two ports."""

    rate_hz = RATE_HZ

    def __init__(self, ports: tuple[int, ...]) -> None:
        self.errors: list[str] = []
        self._ports = ports
        self._sample = 0

    async def open(self) -> None:
        self._microphone = (await asyncio.open_connection(HOST, self._ports[0]))[1]
        self._answer, self._loudspeaker = await asyncio.open_connection(HOST, self._ports[1])
        hello = encode_hello(Hello(uuid.uuid4().hex, full_duplex=True))
        self._microphone.write(hello)
        self._loudspeaker.write(hello)

    def send(self, packet: bytes) -> None:
        self._microphone.write(WireFrame(FrameKind.AUDIO, packet, sample=self._sample).encode())
        self._sample += len(packet) // 2

    async def heard(self) -> AsyncIterator[int]:
        frames, decided = FrameReader(), 0
        while data := await self._answer.read(1 << 16):
            for frame in frames.feed(data):
                if frame.kind is FrameKind.AUDIO:
                    yield decided
                elif frame.kind is FrameKind.EVENT:
                    decided = _noted(frame.json(), self.errors) or decided

    def close(self) -> None:
        self._microphone.close()
        self._loudspeaker.close()


class WebSocketLine:
    """The part of RFC 6455 that carries audio within a machine; the mask is zero, which changes
    nothing."""

    _TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10

    def __init__(self, port: int, path: str, rate_hz: int = RATE_HZ) -> None:
        self.rate_hz = rate_hz
        self.errors: list[str] = []
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

    def send(self, packet: bytes) -> None:
        self._write(self._BINARY, packet)

    async def messages(self) -> AsyncIterator[bytes | str]:
        """Yield the messages that arrive: audio as bytes, all else as text."""
        while True:
            first, length = await self._reader.readexactly(2)
            if length > 125:
                size = 2 if length == 126 else 8
                length = int.from_bytes(await self._reader.readexactly(size), "big")
            payload = await self._reader.readexactly(length)
            match first & 15:
                case self._BINARY:
                    yield payload
                case self._TEXT:
                    yield payload.decode()
                case self._PING:
                    self._write(self._PONG, payload)
                case self._CLOSE:
                    return

    def close(self) -> None:
        self._write(self._CLOSE, struct.pack(">H", 1000))
        self._writer.close()

    def _write(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        size = bytes([128 | length]) if length < 126 else bytes([128 | 126]) + struct.pack(">H", length)
        self._writer.write(bytes([128 | kind]) + size + bytes(4) + payload)


class WebLine(WebSocketLine):
    """A connection to our WebSocket; with `key`, it resumes the waiting session of that key."""

    def __init__(self, port: int, rate_hz: int = RATE_HZ, key: str = "") -> None:
        super().__init__(port, f"/ws?rate={rate_hz}&key={key}", rate_hz)
        self.key = key

    async def open(self) -> None:
        """Connect. Raises `ConnectionRefusedError` if the server is full."""
        await super().open()
        answer = json.loads(await anext(self.messages()))
        if answer["type"] != "welcome":
            raise ConnectionRefusedError(answer["text"])
        self.key = answer["key"]

    def say(self, kind: str, **fields: object) -> None:
        """Send a message in JSON."""
        self._write(self._TEXT, json.dumps({"type": kind, **fields}).encode())

    def drop(self) -> None:
        """Disconnect without a goodbye."""
        self._writer.close()

    async def heard(self) -> AsyncIterator[int]:
        decided = 0
        async for message in self.messages():
            if isinstance(message, bytes):
                yield decided
            else:
                decided = _noted(json.loads(message), self.errors) or decided


class RealtimeLine(WebSocketLine):
    """A connection with OpenAI's Realtime protocol."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "/v1/realtime?model=any", REALTIME_HZ)

    async def open(self) -> None:
        """Connect, and ask for audio only."""
        await super().open()
        audio = {"format": {"type": "audio/pcm", "rate": self.rate_hz}}
        session = {"type": "realtime", "output_modalities": ["audio"]}
        self.say("session.update", session={**session, "audio": {"input": audio, "output": audio}})

    def send(self, packet: bytes) -> None:
        self.say("input_audio_buffer.append", audio=base64.b64encode(packet).decode())

    def say(self, kind: str, **fields: object) -> None:
        """Send an event of the client."""
        self._write(self._TEXT, json.dumps({"type": kind, **fields}).encode())

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of the server, and note its errors."""
        async for message in self.messages():
            event = json.loads(message)
            if event["type"] == "error":
                self.errors.append(str(event["error"]["message"]))
            yield event


class PeerLine(WebSocketLine):
    """A connection to the WebSocket of a peer, which reports itself when it decided."""

    async def heard(self) -> AsyncIterator[int]:
        async for message in self.messages():
            if isinstance(message, bytes):
                yield DECIDED.unpack_from(message)[0]


def _noted(message: dict[str, object], errors: list[str]) -> int:
    """Note an error; return the sample at which one of our servers decided, or 0 for other messages."""
    if message.get("event") == "SpeechEnded":
        end = message["speech_end_sample"]
        assert isinstance(end, int)
        return end + DECISION_SAMPLES
    if message.get("event") == "ErrorEvent" or message.get("type") == "error":
        errors.append(str(message["text"]))
    return 0
