"""Lag: the share of the time in which the program is late."""

import math

LATE_S = 0.015
"""Less than the 20 ms between two packets, since lag is noted when a packet comes."""

FADES_S = 5.0
"""Time constant; longer than the intervals at which an almost full machine is late."""


class Lag:
    """The share of the time, 0 to 1, in which the program was late; the past fades.

    It is a share of time, not of items: many items in one burst are one moment. Noted on one thread,
    read on any.
    """

    def __init__(self, now: float) -> None:
        self._state = 0.0, now
        """The share, and the time of the last note."""

    def note(self, waited_s: float, now: float) -> None:
        """Note that an item had waited for `waited_s`."""
        share, noted = self._state
        old = math.exp((noted - now) / FADES_S)
        self._state = old * share + (1 - old) * (waited_s > LATE_S), now

    def share(self, now: float) -> float:
        """The share at `now`; it fades while nothing is noted."""
        share, noted = self._state
        return share * math.exp((noted - now) / FADES_S)
