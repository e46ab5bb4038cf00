"""PacedSink: the timing half of a sink, shared by all clients that are paced by the clock."""

import math

from connections.remote_pace import RemotePace


class PacedSink:
    """Base of sinks without a device of their own. They report sending and flushing to `_pace`."""

    rate_hz: int
    frame_samples: int
    _pace: RemotePace

    def _set_pace(self, rate_hz: int, frame_samples: int, lead_ms: float, delay_ms: float) -> None:
        """Send frames up to `lead_ms` ahead; they are heard `delay_ms` after they were due."""
        self.rate_hz = rate_hz
        self.frame_samples = frame_samples
        self._pace = RemotePace(rate_hz, frame_samples, lead_ms, delay_ms)

    @property
    def takes_more(self) -> bool:
        """True while the client is there and reads."""
        return True

    def room_at(self, now: float) -> float:
        """When the next frame is due; never while the client does not read."""
        return self._pace.room_at(now) if self.takes_more else math.inf

    def heard_all_at(self, now: float) -> float:
        return self._pace.heard_all_at(now)

    def unheard(self, now: float) -> int:
        return self._pace.unheard(now)
