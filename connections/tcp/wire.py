"""The wire between our client and the server: a hello, then frames, on each of the two ports.

The microphone's port carries frames from the client (audio, what it played, requests), the loudspeaker's
port frames from the server (audio, control, events). All numbers are little-endian.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from pipeline.audio import RATES_HZ
from pipeline.errors import ProtocolError

MAGIC = b"\x89S2S\r\n\x1a\n"
"""The first bytes of a hello. As int16 audio it would jump by half the scale between samples. The idea
is PNG's: a byte over 127 and both kinds of line end reveal a connection that converts text."""

VERSION = 1
MAX_HELLO = 4096
MAX_FRAME = 1 << 16
"""Two seconds of audio at 16 kHz. A longer length means that the data is not a frame."""

_HELLO = struct.Struct("<8sHI")  # magic, version, length of the JSON behind it
_FRAME = struct.Struct("<B3xIIQ")  # kind, length of the payload behind it, turn, sample

RAW_RATE_HZ = 16000
"""The rate of raw clients, which send and receive int16 audio and nothing else."""


class FrameKind(IntEnum):
    """The content of a frame."""

    AUDIO = 1
    """int16 mono. From the client, `sample` counts from the connection on; from the server, within the
    turn."""
    CONTROL = 2
    """JSON with a "type": from the server welcome, refused, flush, duck; from the client interrupt."""
    EVENT = 3
    """JSON: an event of the session, its name under "event"."""
    PLAYED = 4
    """From the client: it has played `turn` up to `sample`. No payload."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a client, on both ports."""

    session: str
    """Chosen by the client; the same on both ports."""
    token: str = ""
    send_rate: int = 16000
    """Rate of the microphone, in Hz."""
    recv_rate: int = 16000
    """Rate of the loudspeaker, in Hz."""
    buffer_ms: int = 0
    """Audio that the client buffers before playing it."""
    full_duplex: bool = False
    """True if its microphone does not hear its loudspeaker: headphones, or an echo canceller."""


@dataclass(frozen=True, slots=True)
class WireFrame:
    """One frame."""

    kind: FrameKind
    payload: bytes = b""
    turn: int = 0
    sample: int = 0

    def encode(self) -> bytes:
        """The bytes to send."""
        return _FRAME.pack(self.kind, len(self.payload), self.turn, self.sample) + self.payload

    def json(self) -> dict[str, Any]:
        """The payload of a control frame or an event. Raises `ProtocolError`."""
        return _object(self.payload)


def control(kind: str, turn: int = 0, sample: int = 0, **fields: Any) -> WireFrame:
    """A control frame."""
    payload = json.dumps({"type": kind, **fields}).encode()
    return WireFrame(FrameKind.CONTROL, payload, turn, sample)


def encode_hello(hello: Hello) -> bytes:
    """The bytes to send."""
    payload = json.dumps(asdict(hello)).encode()
    return _HELLO.pack(MAGIC, VERSION, len(payload)) + payload


def may_be_hello(data: bytes) -> bool:
    """True if this is, or may become, the beginning of a hello; otherwise it is raw audio."""
    return data[: len(MAGIC)] == MAGIC[: len(data)]


def decode_hello(data: bytes) -> tuple[Hello, bytes] | None:
    """The hello at the beginning of `data` and the bytes behind it; None: it is not complete yet.

    Raises `ProtocolError`.
    """
    if len(data) < _HELLO.size:
        return None
    _, version, length = _HELLO.unpack_from(data)
    if version != VERSION:
        raise ProtocolError(f"expected version {VERSION} of the protocol, got {version}", "bad_version")
    if length > MAX_HELLO:
        raise ProtocolError(f"expected a hello of at most {MAX_HELLO} bytes, got {length}")
    end = _HELLO.size + length
    if len(data) < end:
        return None
    return _hello(_object(data[_HELLO.size : end])), data[end:]


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[WireFrame]:
        """Add data; returns the frames that are complete now. Raises `ProtocolError`."""
        self._data += data
        while len(self._data) >= _FRAME.size:
            kind, length, turn, sample = _FRAME.unpack_from(self._data)
            if kind not in FrameKind.__members__.values():
                raise ProtocolError(f"expected a frame of kind 1 to 4, got {kind}")
            if length > MAX_FRAME:
                raise ProtocolError(
                    f"expected a frame of at most {MAX_FRAME} bytes, got {length}", "too_big"
                )
            end = _FRAME.size + length
            if len(self._data) < end:
                return
            payload = bytes(self._data[_FRAME.size : end])
            del self._data[:end]
            yield WireFrame(FrameKind(kind), payload, turn, sample)


_HELLO_TYPES = {
    **dict.fromkeys(("session", "token"), str),
    **dict.fromkeys(("send_rate", "recv_rate", "buffer_ms"), int),
    "full_duplex": bool,
}


def _hello(fields: dict[str, Any]) -> Hello:
    known = {name: fields[name] for name in Hello.__dataclass_fields__ if name in fields}
    for name, wanted in _HELLO_TYPES.items():
        if name in known and type(known[name]) is not wanted:
            came = type(known[name]).__name__  # and not its value, which may be a token
            raise ProtocolError(f"hello: expected {name} to be {wanted.__name__}, got {came}")
    if not 1 <= len(known.get("session", "")) <= 64:
        raise ProtocolError("hello: expected a session of 1 to 64 characters")
    hello = Hello(**known)
    for name in ("send_rate", "recv_rate"):
        if getattr(hello, name) not in RATES_HZ:
            raise ProtocolError(f"hello: expected {name} from 8000 to 48000, got {getattr(hello, name)}")
    if not 0 <= hello.buffer_ms <= 2000:
        raise ProtocolError(f"hello: expected buffer_ms from 0 to 2000, got {hello.buffer_ms}")
    return hello


def _object(data: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:  # a number too long, brackets too deep
        raise ProtocolError("expected JSON, got something else") from error
    if not isinstance(fields, dict):
        raise ProtocolError(f"expected a JSON object, got {type(fields).__name__}")
    return fields
