"""Activity: the number of threads of a session that are awake."""

import threading


class Activity:
    """Counts the threads of a session that have something to do.

    A stage sleeps in its channel; the thread that wakes it counts it as awake *before* it runs, so work
    never exists uncounted. "Everything that can be done has been done" is then an event to wait for: a
    recording is fed window by window without a clock, and a test waits for the pipeline without
    sleeping.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._awake = 0
        self._given_up = False

    def woke(self, threads: int = 1) -> None:
        """Count `threads` more as awake; called by the thread that wakes them."""
        with self._condition:
            self._awake += threads

    def sleeps(self) -> None:
        """Count this thread as asleep."""
        with self._condition:
            self._awake -= 1
            if self._awake == 0:
                self._condition.notify_all()

    def give_up(self) -> None:
        """Stop waiting for threads that may never sleep again."""
        with self._condition:
            self._given_up = True
            self._condition.notify_all()

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until no thread is awake. Returns False if `timeout_s` passed first."""
        with self._condition:
            return self._condition.wait_for(lambda: self._awake == 0 or self._given_up, timeout_s)
