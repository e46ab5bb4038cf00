"""RateLimit: a token bucket. So many at once, then so many a second."""

FLOOD_S = 10.0
"""Seconds beyond real time that a client may send at once: what a hiccup of the network held back."""

MESSAGES_PER_S = 50
"""JSON messages that a client may send, with a burst of `FLOOD_S`; the page, playing, sends ten."""


class RateLimit:
    """Holds `burst` and is filled at `per_s`; whatever happens takes one out."""

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._held = burst
        self.asked_at = now

    def take(self, now: float) -> float:
        """Take one. 0: it was there; else none is taken, and one will be there in so many seconds."""
        self._held = min(self._burst, self._held + (now - self.asked_at) * self._per_s)
        self.asked_at = now
        if self._held < 1:
            return (1 - self._held) / self._per_s
        self._held -= 1
        return 0.0
