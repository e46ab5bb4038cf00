"""The way of one voiced window: calls, files, and moves between files, until all threads sleep."""

import sys
import threading
import time
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.figures import table
from benchmarks.overhead import InstantSink
from benchmarks.program import ROOT
from benchmarks.zero_cost import zero_cost_engines
from s2s_pipeline import build_pipeline
from testing.fakes import LoudnessDetector

WINDOW = 512
WINDOWS_BEFORE = 10
"""Enough for the endpointer to be sure of the voice."""

WINDOWS = 15
REACTION_S = 0.02
"""After the pipeline is idle, the shared thread goes to sleep, which is part of the way."""

OURS = tuple(
    str(ROOT / room) for room in ("pipeline", "VAD", "STT", "LLM", "TTS", "S2S", "connections", "utils")
)


class Way(NamedTuple):
    """Counts for one window."""

    calls: int
    files: int
    moves: int


class Tracer:
    """Notes the file of every call of the program, on all threads that begin after it."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._on = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        waits = frame.f_code.co_name == "wait_idle"  # the benchmark's own
        if self._on and event == "call" and file.startswith(OURS) and not waits:
            self.files.append(file)

    def count(self, session: Any, window: Any) -> Way:
        """Feed one window and count until all threads sleep again."""
        self.files.clear()
        self._on = True
        session.feed(window, 16000, time.monotonic())
        session.activity.wait_idle()
        time.sleep(REACTION_S)
        self._on = False
        moves = sum(here != there for here, there in zip(self.files, self.files[1:], strict=False))
        return Way(len(self.files), len(set(self.files)), moves)


def measure() -> Way:
    """The median way of a voiced window."""
    tracer, engines = Tracer(), zero_cost_engines()
    threading.setprofile(tracer)
    sys.setprofile(tracer)
    try:
        engines = type(engines)(LoudnessDetector(), engines.endpointing, engines.voice)
        session = build_pipeline(engines, InstantSink())
        loud = np.full(WINDOW, 0.5, np.float32)
        for _ in range(WINDOWS_BEFORE):
            session.feed(loud, 16000, time.monotonic())
            session.activity.wait_idle()
        ways = sorted(tracer.count(session, loud) for _ in range(WINDOWS))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    session.close()
    session.join(2)
    return ways[len(ways) // 2]


def main() -> str:
    """The table."""
    way = measure()
    row = ["feed ▶ last reaction", *map(str, way)]
    return table("The way of one voiced window", ["", "calls", "files", "moves between files"], [row])


if __name__ == "__main__":
    print(main())
