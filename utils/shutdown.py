"""Shutdown: what Ctrl-C does."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType


class Request:
    """A wish to stop, made once. `on_request` must only tell somebody."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self.on_request: Callable[[], object] = lambda: None

    def make(self) -> None:
        """Wish it now."""
        self.requested.set()
        self.on_request()


class Shutdown(Request):
    """The first Ctrl-C (or SIGTERM) asks to stop, the second one kills.

    `on_request` is called in the main thread, between two instructions of whatever runs there.
    """

    def __init__(self) -> None:
        super().__init__()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.requested.is_set():
            os._exit(128 + number)
        self.make()
