"""Hold: a place at which a test stops a fake in the middle of its work."""

import threading

from pipeline.turn import CancelToken

FOREVER_S = 60.0
"""Long enough to be for ever in a test, short enough for the thread to go when the tests are over."""


class Hold:
    """A fake that comes to a closed hold says so and waits. It is open until `close` is called.

    ``deaf=True``: who waits goes on waiting when the call is cancelled, as a native call does that
    never returns.
    """

    def __init__(self, *, deaf: bool = False) -> None:
        self._deaf = deaf
        self._closed = False
        self._waiting = 0
        self._condition = threading.Condition()

    def close(self) -> None:
        """From now on who comes here waits."""
        with self._condition:
            self._closed = True

    def open(self) -> None:
        """Let everybody go on."""
        with self._condition:
            self._closed = False
            self._condition.notify_all()

    def wait_until_reached(self) -> None:
        """Wait until somebody stands here."""
        with self._condition:
            reached = self._condition.wait_for(lambda: self._waiting > 0, FOREVER_S)
        assert reached, "expected a fake to come to the hold, none came"

    def pass_through(self, cancel: CancelToken) -> None:
        """Called by the fake in its work."""
        with cancel.on_cancel(self._wake), self._condition:
            self._waiting += 1
            self._condition.notify_all()
            self._condition.wait_for(
                lambda: not self._closed or (cancel.cancelled and not self._deaf), FOREVER_S
            )
            self._waiting -= 1

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()
