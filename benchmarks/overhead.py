"""From the decision of the voice detector to the first frame at the connection, with zero-cost
engines."""

import math
import time

import numpy as np

from benchmarks.figures import median, percentile, table
from benchmarks.zero_cost import zero_cost_engines
from pipeline.messages import Samples
from pipeline.settings import SessionSettings
from pipeline.sink import Frame
from pipeline.turn import Origin, Turn
from s2s_pipeline import build_pipeline
from testing.fakes import LoudnessDetector

TURNS = 300
WINDOW = 512


class InstantSink:
    """Takes frames at once and notes the time of each turn's first frame."""

    rate_hz = 16000
    frame_samples = 320
    full_duplex = False

    def __init__(self) -> None:
        self.first_frames: dict[int, float] = {}

    def room_at(self, now: float) -> float:
        return -math.inf

    def heard_all_at(self, now: float) -> float:
        return -math.inf

    def unheard(self, now: float) -> int:
        return 0

    def play(self, frame: Frame) -> None:
        self.first_frames.setdefault(frame.turn, time.monotonic())

    def flush(self, turn: int, sample: int) -> bool:
        return True

    def duck(self, turn: int, gain: float) -> bool:
        return True


def measure(turns: int = TURNS) -> list[float]:
    """Measure the milliseconds of each turn."""
    engines, sink = zero_cost_engines(), InstantSink()
    engines = type(engines)(LoudnessDetector(), engines.endpointing, engines.voice)
    session = build_pipeline(engines, sink)
    begun: list[Turn] = []
    begin_turn = session.begin_turn

    def noting_it(origin: Origin, settings: SessionSettings | None = None) -> Turn:
        begun.append(begin_turn(origin, settings))
        return begun[-1]

    session.begin_turn = noting_it  # type: ignore[method-assign]
    loud, quiet = np.full(WINDOW, 0.5, np.float32), np.zeros(WINDOW, np.float32)
    for _ in range(turns):
        _feed(session.feed, loud, 10)
        _feed(session.feed, quiet, 16)
        session.activity.wait_idle()
        session.should_listen.wait()
    session.close()
    session.join(2)
    return [1000 * (sink.first_frames[turn.number] - turn.marks["endpoint"].clock_s) for turn in begun]


def _feed(feed: object, window: Samples, count: int) -> None:
    for _ in range(count):
        feed(window, 16000, time.monotonic())  # type: ignore[operator]


def main() -> str:
    """Run the benchmark and return its table."""
    times = measure()
    rows = [["VAD decision ▶ first frame", median(times), percentile(times, 0.99), "< 1 ms median"]]
    return table("Our own overhead, zero-cost engines", ["", "median ms", "p99 ms", "aim"], rows)


if __name__ == "__main__":
    print(main())
