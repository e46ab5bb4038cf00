"""RecordingSink: a sink that remembers its audio and its control messages."""

import math
import threading
from collections.abc import Callable

import numpy as np

from pipeline.messages import Samples
from pipeline.sink import ClockPace, Frame


class RecordingSink:
    """A sink paced by the clock, as a socket is; keeps all frames and flushes.

    ``can_flush=False``: a raw client, which plays everything it receives. `blocked` simulates a client
    that stops reading.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        rate_hz: int = 16000,
        frame_samples: int = 320,
        lead_ms: float = 60,
        can_flush: bool = True,
        can_duck: bool = False,
        full_duplex: bool = False,
    ) -> None:
        self.rate_hz = rate_hz
        self.full_duplex = full_duplex
        self.frame_samples = frame_samples
        self.frames: list[Frame] = []
        self.flushes: list[tuple[int, int]] = []
        self.gains: list[float] = []
        self.blocked = False
        self.error: Exception | None = None
        """Error to raise instead of taking the next frame."""
        self._now = now
        self._can_flush = can_flush
        self._can_duck = can_duck
        self._pace = ClockPace(rate_hz, frame_samples, lead_ms)
        self._lock = threading.Lock()

    def room_at(self, now: float) -> float:
        return math.inf if self.blocked else self._pace.room_at(now)

    def heard_all_at(self, now: float) -> float:
        return math.inf if self.blocked else self._pace.heard_all_at(now)

    def unheard(self, now: float) -> int:
        return self._pace.unheard(now)

    def play(self, frame: Frame) -> None:
        if self.error is not None:
            raise self.error
        with self._lock:
            self.frames.append(frame)
            self._pace.sent(len(frame.samples), self._now())

    def flush(self, turn: int, sample: int) -> bool:
        if self._can_flush:
            with self._lock:
                self.flushes.append((turn, sample))
                self._pace.flushed(self._now())
        return self._can_flush

    def duck(self, turn: int, gain: float) -> bool:
        self.gains.append(gain)
        return self._can_duck

    def audio(self, turn: int | None = None) -> Samples:
        """All audio sent, or that of one turn."""
        frames = [f.samples for f in self.frames if turn is None or f.turn == turn]
        return np.concatenate(frames) if frames else np.empty(0, np.float32)

    def turns(self) -> list[int]:
        """The turns whose audio was sent, in order."""
        return list(dict.fromkeys(frame.turn for frame in self.frames))
