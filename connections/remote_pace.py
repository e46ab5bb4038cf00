"""RemotePace: an estimate of what a remote client has played, and of when to send it more."""

import threading

from pipeline.clock import MonotonicClock
from pipeline.sink import ClockPace, Frame

FRAMES_PER_S = 50
LEAD_MS = 60
"""Audio sent ahead of real time: three frames."""

MAX_DELAY_S = 2.0
"""A client that reports a longer delay is wrong, or gone."""


class RemotePace:
    """Our clock says when audio is due; the client's reports say how far it lags behind.

    Called on the thread of the playout and on that of the server.
    """

    def __init__(self, rate_hz: int, frame_samples: int, lead_ms: float, delay_ms: float) -> None:
        """`delay_ms`: the lag assumed until the client reports."""
        self._rate_hz = rate_hz
        self._clock = MonotonicClock()
        self._pace = ClockPace(rate_hz, frame_samples, lead_ms)
        self._delay_s = delay_ms / 1000
        self._sent_of_turn = (0, 0)
        self._lock = threading.Lock()

    def room_at(self, now: float) -> float:
        """When the next frame may be sent."""
        return self._pace.room_at(now)

    def heard_all_at(self, now: float) -> float:
        """When the client will have played all that was sent."""
        return self._pace.heard_all_at(now) + self._delay_s

    def unheard(self, now: float) -> int:
        """Number of samples that were sent and not played yet."""
        return self._pace.unheard(now - self._delay_s)

    def sent(self, frame: Frame) -> None:
        """Note that a frame is on its way."""
        with self._lock:
            self._pace.sent(len(frame.samples), self._clock.now())
            self._sent_of_turn = (frame.turn, frame.sample + len(frame.samples))

    def flushed(self) -> None:
        """Note that the client drops the audio it has not played."""
        with self._lock:
            self._sent_of_turn = (0, 0)
            self._pace.flushed(self._clock.now() - self._delay_s)

    def played(self, turn: int, sample: int) -> None:
        """Note that the client has played `turn` up to `sample`, which shows its lag."""
        with self._lock:
            sent_turn, sent = self._sent_of_turn
            if sent and turn == sent_turn:
                now = self._clock.now()
                due_at = self._pace.heard_all_at(now) - (sent - sample) / self._rate_hz
                self._delay_s = min(max(0.0, now - due_at), MAX_DELAY_S)
