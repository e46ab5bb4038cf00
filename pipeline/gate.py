"""Gate: in half duplex, decides by the time of capture whether the microphone's audio is taken."""

import math
import threading
from collections.abc import Sequence


class Gate:
    """Shut while the program speaks and its echo dies away, in half duplex.

    `should_listen` mirrors the current state. `takes` decides by the time at which audio was captured,
    so it does not matter how late the audio is delivered.
    """

    def __init__(self) -> None:
        self.should_listen = threading.Event()
        self.should_listen.set()
        self._shut_at = math.inf
        self._opens_at = -math.inf
        self._replayed: Sequence[tuple[float, float]] | None = None

    def replay(self, deaf: Sequence[tuple[float, float]]) -> None:
        """For a replay: refuse audio between these recorded times, and take all other audio.

        The replies may be longer or shorter now; the recorded audio of the user is the same.
        """
        self._replayed = deaf

    @property
    def due_at(self) -> float:
        """Time at which to call `open`; infinity while it is unknown, or while the gate is open."""
        return math.inf if self.should_listen.is_set() else self._opens_at

    def shut(self, now: float) -> None:
        """Refuse audio captured from `now` on."""
        if now >= self._opens_at:
            self._shut_at = now
        self._opens_at = math.inf
        self.should_listen.clear()

    def open_at(self, moment: float) -> None:
        """Take audio captured from `moment` on."""
        self._opens_at = moment

    def open(self) -> None:
        """Note that the time given to `open_at` has come."""
        self.should_listen.set()

    def takes(self, captured_at: float) -> bool:
        """True if audio captured at this time is taken."""
        if self._replayed is not None:
            return not any(start <= captured_at < end for start, end in self._replayed)
        return not self._shut_at <= captured_at < self._opens_at
