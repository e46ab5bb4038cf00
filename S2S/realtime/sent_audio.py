"""SentAudio: the audio that the server has received, and where it stands in the session's audio."""

from collections import deque

from pipeline.messages import AudioBlock
from S2S.realtime.requests import RATE_HZ

GAPS_KEPT = 32
"""Number of recent gaps in the sent audio that are kept to translate positions; in half duplex, each
reply makes a gap."""


class SentAudio:
    """Translates moments at the server, which counts the audio of one connection, into positions of the
    session, some of whose audio is not sent."""

    def __init__(self) -> None:
        self.end = 0
        """Position in the session, in samples, behind the last window."""
        self._last: AudioBlock | None = None
        self._sent = 0
        """Samples that the server has received."""
        self._spans: deque[tuple[int, int]] = deque([(0, 0)], GAPS_KEPT)
        """The server's position ▶ the session's position, at the beginning and after each gap."""

    def add(self, block: AudioBlock) -> None:
        """Note that a window is on its way to the server."""
        if block.start_sample != self.end:
            self._spans.append((self._sent, block.start_sample))
        self._sent += len(block.samples)
        self.end = block.start_sample + len(block.samples)
        self._last = block

    def begin_anew(self) -> None:
        """Start counting again: a new connection counts from zero."""
        self._spans.clear()
        self._spans.append((0, self.end))
        self._sent = 0

    def position(self, at_ms: int | None) -> int:
        """The position in the session of a moment at the server; None: now. A server may be wrong, so it
        is within the audio that was sent."""
        if at_ms is None:
            return self.end
        at = min(max(0, at_ms * RATE_HZ // 1000), self._sent)
        started, position = next(
            (span for span in reversed(self._spans) if span[0] <= at), self._spans[0]
        )
        return max(0, position + at - started)

    def captured_at(self, position: int) -> float | None:
        """The time of the session's clock at which a position was captured; None: nothing was sent."""
        if self._last is None:
            return None
        return self._last.captured_at - (self._last.start_sample - position) / RATE_HZ
