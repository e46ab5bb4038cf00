"""Lag: how much of the time things have to wait for too long."""

import math

LATE_S = 0.015
"""Less than the 20 ms between two packets, since it is looked at when one comes."""

FADES_S = 5.0
"""Longer than the pauses between the moments at which a machine that is almost full is late."""


class Lag:
    """The share of the time, 0 to 1, in which things were late; what is long ago fades.

    Of the time, not of the things: many that come in one burst are one moment. Noted on one thread, read
    on any.
    """

    def __init__(self, now: float) -> None:
        self._state = 0.0, now
        """The share, and when something was noted last."""

    def note(self, waited_s: float, now: float) -> None:
        """Something has waited for so long by now."""
        share, noted = self._state
        old = math.exp((noted - now) / FADES_S)
        self._state = old * share + (1 - old) * (waited_s > LATE_S), now

    def share(self, now: float) -> float:
        """Where nothing has been noted for a while nothing is late."""
        share, noted = self._state
        return share * math.exp((noted - now) / FADES_S)
