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

    def in_blocks(self, frames: int) -> Iterator[Samples]:
        """Yield blocks of shape (frames, channels); the last one may be shorter."""
        while len(block := self.read(frames, dtype="float32", always_2d=True)):
            yield block
