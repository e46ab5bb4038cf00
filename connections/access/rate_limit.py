"""RateLimit: a token bucket. It allows a burst, then a steady rate."""

FLOOD_S = 10.0
"""Seconds beyond real time that a client may send at once, as after a hiccup of the network."""

MESSAGES_PER_S = 50
"""JSON messages that a client may send, with a burst of `FLOOD_S`; the page sends ten while it plays."""


class RateLimit:
    """A bucket of `burst` tokens, refilled at `per_s`."""

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._held = burst
        self.asked_at = now

    def take(self, now: float) -> float:
        """Take a token and return 0; if there is none, return the seconds until there is."""
        self._held = min(self._burst, self._held + (now - self.asked_at) * self._per_s)
        self.asked_at = now
        if self._held < 1:
            return (1 - self._held) / self._per_s
        self._held -= 1
        return 0.0
