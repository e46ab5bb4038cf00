"""Shutdown: the response to Ctrl-C."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from utils.keyboard import release_keyboard

STOPPING = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """A request to stop, made once, from any thread."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self._on_stop: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def on_stop(self, call: Callable[[], object]) -> None:
        """Set the function to call when the request is made; it is called at once if that was before."""
        with self._lock:
            self._on_stop = call
            made = self.requested.is_set()
        if made:
            call()

    def make(self) -> None:
        """Make the request."""
        with self._lock:
            self.requested.set()
            call = self._on_stop
        call()


class Shutdown(StopRequest):
    """The first Ctrl-C (or SIGTERM) makes the request, the second one kills the process.

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
            if number[0] not in STOPPING:  # a signal with a handler of its own
                continue
            if self.requested.is_set():
                release_keyboard()
                if sys.stdout.isatty():
                    os.write(sys.stdout.fileno(), b"\r\n")  # else the prompt stands behind the last line
                os._exit(128 + number[0])
            self.make()
