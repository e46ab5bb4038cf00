"""Shutdown: what Ctrl-C does."""

import os
import signal
import socket
import threading
from collections.abc import Callable

STOPPING = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """A wish to stop, made once, from any thread."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self._heed: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def on_stop(self, heed: Callable[[], object]) -> None:
        """Call `heed` when the wish is made; at once if it was made before."""
        with self._lock:
            self._heed = heed
            made = self.requested.is_set()
        if made:
            heed()

    def make(self) -> None:
        """Wish it now."""
        with self._lock:
            self.requested.set()
            heed = self._heed
        heed()


class Shutdown(StopRequest):
    """The first Ctrl-C (or SIGTERM) asks to stop, the second one kills.

    A handler in Python would run in the main thread between two instructions of whatever runs there,
    which may hold a lock, and not at all while native code runs. So the interpreter only writes the
    number of the signal to a socket (`signal.set_wakeup_fd`), and a thread that reads it does the rest.
    """

    def __init__(self) -> None:
        super().__init__()
        self._signals, wakeup = socket.socketpair()
        wakeup.setblocking(False)
        self._wakeup = wakeup
        signal.set_wakeup_fd(wakeup.fileno())
        for number in STOPPING:
            signal.signal(number, lambda number, frame: None)
        threading.Thread(target=self._watch, name="signals", daemon=True).start()

    def _watch(self) -> None:
        while number := self._signals.recv(1):
            if number[0] not in STOPPING:  # another one that somebody handles
                continue
            if self.requested.is_set():
                os._exit(128 + number[0])
            self.make()
