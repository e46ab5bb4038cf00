"""Clocks: time is an argument, so a conversation can be live or replayed."""

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """The time of a session, in seconds from an arbitrary start."""

    def now(self) -> float:
        """The current time."""
        ...

    def timeout_until(self, deadline: float) -> float | None:
        """Time that a thread may sleep in order to be awake at `deadline`; None: until woken."""
        ...


class MonotonicClock:
    """Live time."""

    def now(self) -> float:
        return time.monotonic()

    def timeout_until(self, deadline: float) -> float | None:
        return None if deadline == math.inf else max(0.0, deadline - time.monotonic())


class SampleClock:
    """The time of a recording: it moves only as samples are fed.

    Threads that wait for a time of this clock sleep until `advance` wakes them, so a recording runs as
    fast as the engines allow, and every decision falls on the same sample each time.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._samples = 0
        self._earliest = math.inf
        self._wakers: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._samples / self.sample_rate_hz

    def timeout_until(self, deadline: float) -> float | None:
        with self._lock:
            if deadline <= self.now():
                return 0.0
            self._earliest = min(self._earliest, deadline)
        return None

    def on_advance(self, wake: Callable[[], None]) -> None:
        """Call `wake` when a deadline passed to `timeout_until` is reached."""
        with self._lock:
            self._wakers.append(wake)

    def advance(self, samples: int) -> None:
        """Move the time on by `samples`."""
        with self._lock:
            self._samples += samples
            if self.now() < self._earliest:
                return
            self._earliest = math.inf
            wakers = list(self._wakers)
        for wake in wakers:
            wake()
