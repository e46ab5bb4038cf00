"""SoundReader: a sound file, read from its beginning to its end."""

from collections.abc import Iterator

import soundfile

from pipeline.messages import Samples


class SoundReader(soundfile.SoundFile):  # type: ignore[misc]
    """`soundfile` seeks after each read, to the place where it is. In an MP3, libmpg123 then decodes the
    frames before that place anew, and complains on standard error about the first of them, whose data
    begin in others. Without seeking, it neither repeats the work nor complains.
    """

    def seekable(self) -> bool:
        """Return False, so that nothing seeks."""
        return False

    def in_blocks(self, size: int, end: int | None = None) -> Iterator[Samples]:
        """Yield blocks of shape (size, channels), up to the frame `end`; the last may be shorter."""
        position = 0
        while end is None or position < end:
            block = self.read(
                size if end is None else min(size, end - position), dtype="float32", always_2d=True
            )
            if not len(block):
                return
            yield block
            position += len(block)
