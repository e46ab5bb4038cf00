"""Places: counts the conversations of an engine that holds a state for each."""

import math
import threading

from pipeline.errors import EngineBusy


class Places:
    """A place is taken before a conversation begins, and free again once its state is closed."""

    def __init__(self, limit: float = math.inf) -> None:
        self._limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def free(self) -> float:
        """The number of free places; infinity: there is no limit."""
        return self._limit - self._taken

    def expect_free(self) -> None:
        """Raise `EngineBusy` if every place is taken."""
        if self.free < 1:
            noun = "conversation" if self._limit == 1 else "conversations"
            held = f"its model holds {self._limit:g} {noun} at once"
            raise EngineBusy(f"the server is full: {held}; try again later")

    def take(self) -> None:
        """Take a place. Raises `EngineBusy`."""
        with self._lock:
            self.expect_free()
            self._taken += 1

    def release(self) -> None:
        """Give a place back."""
        with self._lock:
            self._taken -= 1
