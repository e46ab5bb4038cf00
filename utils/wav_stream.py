"""WavStream: decodes a WAV file while it arrives over the network."""

import math
import struct

import numpy as np

from pipeline.messages import Samples
from utils.pcm_stream import PcmFormat, PcmStream

MAX_CHUNK_BYTES = 1 << 20
"""Limit of other chunks than audio (tags, a picture); a file with a longer one is not speech."""

UNKNOWN_BYTES = 0x7FFF0000
"""A writer that streams does not know the size of the audio. It writes 0, or a number from here on, such
as 0x7FFFFFFF or 0xFFFFFFFF."""

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
"""Codings that are decoded here (`wFormatTag`). For the last, the coding comes later in the header."""

_DTYPES = {
    (PCM, 1): "u1", (PCM, 2): "<i2", (PCM, 3): "<i3", (PCM, 4): "<i4",
    (FLOAT, 4): "<f4", (FLOAT, 8): "<f8",
}  # fmt: skip


class WavStream:
    """A file that may be cut anywhere. Several in a row are one sound, since some servers send one for
    each sentence. Audio beyond the size in the header counts as well, unless it is a chunk."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        """Bytes that are not decoded yet."""
        self._pcm: PcmStream | None = None
        self._audio_left: float = 0
        """Bytes of audio to come."""
        self._padded = False
        """True if the audio is followed by a byte that makes its length even."""
        self._begun = False

    @property
    def rate_hz(self) -> int:
        """Sample rate, known as soon as there are samples."""
        return self._pcm.rate_hz if self._pcm is not None else 0

    def feed(self, data: bytes) -> Samples:
        """The complete samples, mono. Raises `ValueError` if this is not such a file."""
        self._waiting += data
        parts = [np.empty(0, np.float32)]
        while self._waiting:
            if self._audio_left and self._pcm is not None:
                taken = bytes(self._waiting[: int(min(self._audio_left, len(self._waiting)))])
                del self._waiting[: len(taken)]
                self._audio_left -= len(taken)
                parts.append(self._pcm.feed(taken))
            elif not self._read_chunk():
                break
        return np.concatenate(parts)

    def _read_chunk(self) -> bool:
        """Read the next part that is not audio. Returns False if it is not complete yet."""
        waiting = self._waiting
        if self._padded and waiting[:1] == b"\0":
            del waiting[:1]
        self._padded = False
        is_file = waiting[:4] == b"RIFF"
        if len(waiting) < (12 if is_file else 8):
            return False
        if is_file:  # the size of the whole is not needed
            del waiting[:12]
            return True
        name, size = bytes(waiting[:4]), int.from_bytes(waiting[4:8], "little")
        if name == b"data":
            self._begin_audio(size)
            return True
        if not all(0x20 <= byte < 0x7F for byte in name) or size > MAX_CHUNK_BYTES:
            if not self._begun:
                raise ValueError("no WAV file")
            self._audio_left = math.inf  # the size in the header was too small
            return True
        end = 8 + size + size % 2
        if len(waiting) < end:
            return False
        if name == b"fmt ":
            self._pcm = PcmStream(_layout(bytes(waiting[8 : 8 + size])))
        del waiting[:end]
        return True

    def _begin_audio(self, size: int) -> None:
        if self._pcm is None:
            raise ValueError("expected a format before the audio")
        del self._waiting[:8]
        self._audio_left = size if 0 < size < UNKNOWN_BYTES else math.inf
        self._padded = size % 2 == 1
        self._begun = True


def _layout(header: bytes) -> PcmFormat:
    """The layout in a "fmt " chunk. Raises `ValueError` for codings that are compressed."""
    if len(header) < 16:
        raise ValueError("a short header")
    coding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", header)
    if coding == EXTENSIBLE and len(header) >= 26:
        coding = int.from_bytes(header[24:26], "little")
    dtype = _DTYPES.get((coding, (bits + 7) // 8))
    if dtype is None:
        raise ValueError(f"expected a known coding, got {coding} with {bits} bits")
    return PcmFormat(rate_hz, channels, dtype)
