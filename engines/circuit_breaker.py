"""CircuitBreaker: whether an engine is worth asking, after what became of those who asked before."""

import random
import threading
import time
from collections.abc import Callable

FIRST_BREAK_S = 2.0
"""Without the engine after its first failure: the rest of an answer keeps one voice."""

MAX_BREAK_S = 60.0
"""Doubled up to this; of an engine that only stalls, one person in a minute has to wait for nothing."""

JITTER = 1 / 3
"""Of each break, so that many programs do not come back to one server at the same moment."""


class CircuitBreaker:
    """Closed: everybody may ask. The first failure opens it, for a time nobody asks: one person who
    waited for nothing is enough. Then it is half open: one may ask (a probe); if that works it is
    closed, else it is open for twice as long. Thread-safe.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.reason: str | None = None
        """Why it is not closed; None: it is."""
        self.ever_failed = False
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._open_until = 0.0
        self._probe: Attempt | None = None
        self._lock = threading.Lock()

    def begin(self, *, may_probe: bool = True) -> "Attempt | None":
        """Ask the engine; None: not now."""
        with self._lock:
            attempt = Attempt(self)
            if self.reason is not None:
                if self._probe is not None or self._clock() < self._open_until or not may_probe:
                    return None
                self._probe = attempt
            return attempt

    def attempt_anyway(self) -> "Attempt":
        """Ask all the same, since there is nobody else."""
        return Attempt(self)

    def end(self, attempt: "Attempt", reason: str | None, *, known: bool) -> bool:
        """What became of it; whether that opens or closes the circuit. What fails beside others that
        failed already, as all that ran when a server died, is not counted again."""
        with self._lock:
            probed, self._probe = self._probe is attempt, None if self._probe is attempt else self._probe
            if not known or (reason is not None and self.reason is not None and not probed):
                return False
            changed = (reason is None) != (self.reason is None)
            self.reason = reason
            if reason is None:
                self._failures = 0
                return changed
            self.ever_failed = True
            lasts_s = min(FIRST_BREAK_S * 2**self._failures, MAX_BREAK_S)
            self._failures += 1
            self._open_until = self._clock() + lasts_s * (1 + JITTER * self._chance())
            return changed


class Attempt:
    """One call. The first of `worked`, `failed` and `close` counts; the first two say whether the
    circuit was opened or closed by it."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._over = False

    def worked(self) -> bool:
        """There was output."""
        return self._end(None)

    def failed(self, reason: str) -> bool:
        """There was an error, or nothing in time."""
        return self._end(reason)

    def close(self) -> None:
        """Without either, as when the caller wants no more: nothing is known."""
        self._end(None, known=False)

    def _end(self, reason: str | None, *, known: bool = True) -> bool:
        if self._over:
            return False
        self._over = True
        return self._breaker.end(self, reason, known=known)
