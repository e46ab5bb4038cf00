"""CircuitBreaker: decides from past calls whether an engine is worth calling."""

import random
import threading
import time
from collections.abc import Callable

FIRST_BREAK_S = 2.0
"""Length of the break after the first failure: long enough for an answer to keep one voice."""

MAX_BREAK_S = 60.0
"""Limit of the doubling: of an engine that only stalls, one user a minute waits in vain."""

JITTER = 1 / 3
"""Random part added to each break, so that many programs do not return to a server at the same
moment."""


class CircuitBreaker:
    """While the circuit is closed, every call goes to the engine. The first failure opens it, and for a
    time no call goes there: one user who waited in vain is enough. Then it is half open: one call (a
    probe) is let through; if it works the circuit closes, else it opens for twice as long.
    Thread-safe."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.reason: str | None = None
        """The reason why it is open; None: it is closed."""
        self.ever_failed = False
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._open_until = 0.0
        self._probe: Attempt | None = None
        self._lock = threading.Lock()

    def begin(self, *, may_probe: bool = True) -> "Attempt | None":
        """Begin a call. Returns None if the engine must not be called now."""
        with self._lock:
            attempt = Attempt(self)
            if self.reason is not None:
                if self._probe is not None or self._clock() < self._open_until or not may_probe:
                    return None
                self._probe = attempt
            return attempt

    def attempt_anyway(self) -> "Attempt":
        """Begin a call in any case, since no other engine is left."""
        return Attempt(self)

    def end(self, attempt: "Attempt", reason: str | None, *, known: bool) -> bool:
        """Record the outcome of a call; true if it opens or closes the circuit. Calls that fail
        together, such as all that ran when a server died, count as one failure."""
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
    """One call. The first of `worked`, `failed` and `close` counts; the first two return true if they
    opened or closed the circuit."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker
        self._over = False

    def worked(self) -> bool:
        """Record that there was output."""
        return self._end(None)

    def failed(self, reason: str) -> bool:
        """Record an error, or no output in time."""
        return self._end(reason)

    def close(self) -> None:
        """End the call without an outcome, since the caller wants no more."""
        self._end(None, known=False)

    def _end(self, reason: str | None, *, known: bool = True) -> bool:
        if self._over:
            return False
        self._over = True
        return self._breaker.end(self, reason, known=known)
