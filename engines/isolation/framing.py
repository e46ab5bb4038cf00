"""Framing: the frames on the two pipes between the program and a worker.

A frame is `MAGIC`, the lengths of header and body (4 bytes each, little-endian), the header in JSON, and
the body: samples, as they are in memory.
"""

import json
import struct
from typing import IO, Any

MAGIC = b"\x00s2s"
MAX_HEADER = 1 << 26
MAX_BODY = 1 << 30
"""64 MB of conversation, and an hour and a half of audio at 48 kHz: more is a mistake."""

_PREFIX = struct.Struct("<4sII")


class NoFrame(Exception):
    """The pipe carried something other than a frame."""


def write(pipe: IO[bytes], header: dict[str, Any], body: bytes | bytearray = b"") -> None:
    """Write one frame, and flush. The caller holds a lock, or is the only writer."""
    encoded = json.dumps(header, default=_plain).encode()
    pipe.write(_PREFIX.pack(MAGIC, len(encoded), len(body)) + encoded)
    pipe.write(body)
    pipe.flush()


def read(pipe: IO[bytes]) -> tuple[dict[str, Any], bytearray]:
    """The next frame. Raises `EOFError` at the end of the pipe, `NoFrame` for anything else."""
    magic, header_bytes, body_bytes = _PREFIX.unpack(_read(pipe, _PREFIX.size))
    if magic != MAGIC or header_bytes > MAX_HEADER or body_bytes > MAX_BODY:
        raise NoFrame(f"expected a frame, got {magic!r}")
    try:
        header = json.loads(_read(pipe, header_bytes))
    except ValueError as error:
        raise NoFrame("expected a header in JSON") from error
    return header, _read(pipe, body_bytes)


def _read(pipe: IO[bytes], count: int) -> bytearray:
    """Read into memory that can be written to, as engines do with samples."""
    block = bytearray(count)
    if pipe.readinto(block) < count:  # type: ignore[attr-defined]
        raise EOFError
    return block


def _plain(value: Any) -> Any:
    """Numbers of numpy."""
    return value.item()
