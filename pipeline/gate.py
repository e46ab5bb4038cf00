"""Gate: when the microphone is to be believed. Half duplex, decided by the time of capture."""

import math
import threading
from collections.abc import Sequence


class Gate:
    """Shut while the program speaks and its echo dies away, in half duplex.

    `should_listen` mirrors it for those who want to know the present state. `takes` answers for audio
    by the moment at which it was captured, so it does not matter how late it is delivered.
    """

    def __init__(self) -> None:
        self.should_listen = threading.Event()
        self.should_listen.set()
        self._shut_at = math.inf
        self._opens_at = -math.inf
        self._replayed: Sequence[tuple[float, float]] | None = None

    def replay(self, deaf: Sequence[tuple[float, float]]) -> None:
        """A conversation is replayed: what was not listened to, between these moments, is not taken, and
        all else is. The replies may be longer or shorter now; what was heard of them then is not."""
        self._replayed = deaf

    @property
    def due_at(self) -> float:
        """When `open` is to be called; infinity while that is not known, or while it is open."""
        return math.inf if self.should_listen.is_set() else self._opens_at

    def shut(self, now: float) -> None:
        """From `now` on nothing is taken."""
        if now >= self._opens_at:
            self._shut_at = now
        self._opens_at = math.inf
        self.should_listen.clear()

    def open_at(self, moment: float) -> None:
        """What is captured from `moment` on is taken again."""
        self._opens_at = moment

    def open(self) -> None:
        """The moment given to `open_at` has come."""
        self.should_listen.set()

    def takes(self, captured_at: float) -> bool:
        """Whether audio captured at this moment is to be heard."""
        if self._replayed is not None:
            return not any(start <= captured_at < end for start, end in self._replayed)
        return not self._shut_at <= captured_at < self._opens_at
