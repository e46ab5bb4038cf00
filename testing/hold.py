"""Hold: a point at which a test stops a fake in the middle of its work."""

import threading

from pipeline.turn import CancelToken

FOREVER_S = 120.0
"""Longer than any test waits, but short enough for the thread to end after the tests."""


class Hold:
    """A fake that reaches a closed hold reports this and waits. A new hold is open.

    ``deaf=True``: cancelling the call does not end the wait, as with a native call that never returns.
    """

    def __init__(self, *, deaf: bool = False) -> None:
        self._deaf = deaf
        self._closed = False
        self._waiting = 0
        self._condition = threading.Condition()

    def close(self) -> None:
        """Make every fake wait that reaches the hold from now on."""
        with self._condition:
            self._closed = True

    def open(self) -> None:
        """Let all waiting fakes continue."""
        with self._condition:
            self._closed = False
            self._condition.notify_all()

    def wait_until_reached(self) -> None:
        """Wait until a fake waits at the hold."""
        with self._condition:
            reached = self._condition.wait_for(lambda: self._waiting > 0, FOREVER_S)
        assert reached, "expected a fake to reach the hold; none did"

    def pass_through(self, cancel: CancelToken) -> None:
        """Wait while the hold is closed; called by the fake in its work."""
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
