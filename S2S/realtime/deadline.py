"""Deadline: the end of our patience with a server that sends nothing more of what it owes."""

import asyncio
from collections.abc import Callable

from pipeline.errors import EngineError
from pipeline.shared_engine import STALL_S

STOPPED_S = 5.0
"""Patience with a response that was stopped: its end is due at once, and the user waits for the next
one."""


class Deadline:
    """Calls `on_stall` on the thread of the loop once nothing has come for `STALL_S`, unless it is
    cancelled."""

    def __init__(self, on_stall: Callable[[], None]) -> None:
        self._on_stall = on_stall
        self._loop = asyncio.get_running_loop()
        self._limit_s = STALL_S
        self._last = self._loop.time()
        self._timer = self._loop.call_later(self._limit_s, self._look)

    def renew(self) -> None:
        """Begin to wait anew: something came."""
        self._last = self._loop.time()  # a new timer for each event would cost more

    def shorten(self) -> None:
        """Begin to wait anew, for `STOPPED_S`."""
        self._limit_s = STOPPED_S
        self._last = self._loop.time()
        self.cancel()
        self._timer = self._loop.call_later(self._limit_s, self._look)

    def cancel(self) -> None:
        """Wait no more."""
        self._timer.cancel()

    def _look(self) -> None:
        left_s = self._last + self._limit_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
        else:
            self._on_stall()


def too_late() -> EngineError:
    """The error of a turn whose answer, or the rest of it, did not come."""
    return EngineError(f"the server did not respond for {STALL_S:g} s", "timeout")
