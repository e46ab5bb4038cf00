"""SoundReader: a sound file, read from its beginning to its end."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.messages import Samples

UNKNOWN_FRAMES = 1 << 62
"""Frames that libsndfile reports, at least, for a FLAC stream of unknown length."""

_UNKNOWN_BYTES = 0x7FFF0000
"""Length, at least, in the header of a WAV file that was written as a stream: it could not be known."""

_PIECE = 1024
"""Frames read at once. Where a file is damaged, libsndfile forgets those before the place."""

_SHORT_S = 0.1
"""Sound whose lack is not told: encoders count their padding differently."""

_MAX_PAGE = 65307
"""Bytes of the longest page of an Ogg file."""

_LAST_PAGE = 4
"""Flag of the last page of an Ogg stream."""


def damage_of(read_s: float, promised_s: float, broken: bool) -> str:
    """The remark for the user on a file of which something is missing; empty: there is nothing to say.
    `promised_s`: the length according to the header; 0 if it does not say."""
    if promised_s - read_s > _SHORT_S:
        length = f"{read_s:.1f} of {promised_s:.1f} s"
    elif broken:
        length = f"only {read_s:.1f} s"
    else:
        return ""
    return f"the file is damaged or cut off: {length} can be read"


class SoundReader(soundfile.SoundFile):  # type: ignore[misc]
    """`soundfile` seeks after each read, to the place where it is. In an MP3, libmpg123 then decodes the
    frames before that place anew, and complains on standard error about the first of them, whose data
    begin in others. Without seeking, it neither repeats the work nor complains.

    Of a damaged file, everything before the damage is read.
    """

    def __init__(self, source: Path | io.BytesIO) -> None:
        super().__init__(source)
        self._source = source
        self._position = 0
        self._at_end = self._broken = False

    def seekable(self) -> bool:
        """Return False, so that nothing seeks."""
        return False

    def in_blocks(self, size: int, end: int | None = None) -> Iterator[Samples]:
        """Yield blocks of shape (size, channels), up to the frame `end`; the last may be shorter. Raises
        `SoundFileError` if nothing can be read."""
        while end is None or self._position < end:
            wanted = size if end is None else min(size, end - self._position)
            block = self._next(wanted)
            self._at_end = len(block) < wanted
            self._position += len(block)
            if len(block):
                yield block
            if self._at_end:
                return

    def _next(self, wanted: int) -> Samples:
        pieces: list[Samples] = [np.empty((0, self.channels), np.float32)]
        missing = wanted
        while missing:
            try:
                piece = self.read(min(missing, _PIECE), dtype="float32", always_2d=True)
            except soundfile.SoundFileError:
                if self._position + wanted - missing == 0:
                    raise
                self._broken = True
                break
            if not len(piece):
                break
            pieces.append(piece)
            missing -= len(piece)
        return np.concatenate(pieces)

    @property
    def damage(self) -> str:
        """The remark for the user, once the end has been reached, on a file of which something is
        missing; empty: there is nothing to say."""
        if not self._at_end:
            return ""
        broken = self._broken or (self.format == "OGG" and not self._has_last_page())
        return damage_of(self._position / self.samplerate, self._promised_s, broken)

    @property
    def _promised_s(self) -> float:
        """The length according to the header; 0 if it does not say."""
        frames: int = self.frames
        if frames >= UNKNOWN_FRAMES:
            return 0.0
        sizes = re.search(r"(?:data|SSND) : (\d+) \(should be (\d+)\)", self.extra_info)
        if sizes is not None and int(sizes[2]) and int(sizes[1]) < _UNKNOWN_BYTES:
            frames = max(frames, round(frames * int(sizes[1]) / int(sizes[2])))
        return frames / int(self.samplerate)

    def _has_last_page(self) -> bool:
        file: Any = self._source.open("rb") if isinstance(self._source, Path) else self._source
        end = file.seek(0, io.SEEK_END)
        file.seek(max(0, end - _MAX_PAGE))
        tail = file.read()
        if file is not self._source:
            file.close()
        flags = tail[tail.rfind(b"OggS") :][5:6]
        return bool(flags) and bool(flags[0] & _LAST_PAGE)
