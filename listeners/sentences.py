"""Sentences: whole sentences from the pieces of a reply."""

import re
import time
from collections.abc import Callable, Iterator

MAX_PENDING_CHARS = 200
"""Length at which text without a full stop becomes a line."""

PAUSE_S = 2.0
"""Pause after which text without a full stop becomes a line."""

_FULL_STOP = re.compile(r"(?:[.!?…。！？।]['\"”’»)\]]*|\n)\s*$")


class Sentences:
    """Joins pieces, which may end inside a word, and cuts only between words."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.pending = ""
        """The beginning of a sentence."""
        self._now = now
        self._fed_at = 0.0

    def feed(self, piece: str) -> Iterator[str]:
        """Take the next piece. Yields what it completes."""
        now = self._now()
        if now - self._fed_at > PAUSE_S:
            yield from self.flush() if piece[:1].isspace() else self._whole_words()
        self._fed_at = now
        self.pending += piece
        if _FULL_STOP.search(self.pending):
            yield from self.flush()
        elif len(self.pending) > MAX_PENDING_CHARS:
            yield from self._whole_words()

    def flush(self) -> Iterator[str]:
        """Yield what is pending, whole or not."""
        text, self.pending = self.pending.strip(), ""
        if text:
            yield text

    def _whole_words(self) -> Iterator[str]:
        """Yield what is pending but for its last word, which may go on."""
        last = self.pending.split()[-1:]
        words = self.pending.rstrip().removesuffix("".join(last)).strip()
        if words:
            self.pending = self.pending[self.pending.rindex(last[0]) :]
            yield words
        elif len(self.pending) > MAX_PENDING_CHARS:  # a script without spaces
            yield from self.flush()
