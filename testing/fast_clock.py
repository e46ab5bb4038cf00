"""FastClock: a clock for tests that wait for speech to be heard."""

import math
import time


class FastClock:
    """Live time that runs `factor` times as fast, so that replies are heard in a fraction of their
    length. Everything else takes its usual time, as on a slower machine."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def now(self) -> float:
        return time.monotonic() * self._factor

    def timeout_until(self, deadline: float) -> float | None:
        return None if deadline == math.inf else max(0.0, deadline - self.now()) / self._factor
