"""An hour of conversation with the built-in parts: do memory, threads, files or answer times grow?

``python -m benchmarks.long_talk --minutes 60``; flags of the program may follow, such as
``--llm eliza``. One user, played by recordings, asks, hears answers out and interrupts them, in one
session. Its clock counts samples: it waits for the engines, and nobody waits for speech to be spoken.
"""

from utils.threads import apply_thread_limits

if __name__ == "__main__":
    apply_thread_limits()  # before libraries read how long their threads may spin

import argparse
import gc
import itertools
import os
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.figures import machine, median, table
from benchmarks.program import memory_mb, open_files, threads
from benchmarks.speech import RATE_HZ, utterances
from command_line.parse import parse_command_line
from engines.loader import load_engines
from pipeline.clock import SampleClock
from pipeline.events import ErrorEvent, Event, TurnDone
from pipeline.mailbox import Mailbox
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame
from s2s_pipeline import build_pipeline
from testing.sinks import RecordingSink

MINUTES = 60.0
LOOKS = 10
PARTS = ("--stt", "moonshine", "--llm", "smollm2", "--tts", "piper")
"""The default engines by name, since others may be in the cache of this machine."""

PAUSES_S = (12.0, 4.0, 12.0, 2.5)
"""Silence after each utterance: long enough to hear most answers out, or short enough to interrupt."""

PATIENCE_S = 300.0
HEADER = ["minute", "turns", "answered", "interrupted", "errors", "resident MB", "threads"]
HEADER += ["file descriptors", "STT ms", "LLM ms", "TTS ms"]


class ForgetfulSink(RecordingSink):
    """Keeps nothing of what it plays, since that would grow."""

    def play(self, frame: Frame) -> None:
        """Take the time that the frame takes."""
        super().play(frame)
        self.frames.clear()
        self.flushes.clear()
        self.gains.clear()


class LongTalk:
    """A session and its one user."""

    def __init__(self, flags: Sequence[str]) -> None:
        self._engines = load_engines(parse_command_line(["--mode", "file", "--input", "-", *flags]))
        self._clock = SampleClock(RATE_HZ)
        sink = ForgetfulSink(self._clock.now, full_duplex=True)
        self._session: Session = build_pipeline(self._engines, sink, clock=self._clock)
        self._clock.on_advance(self._session.playout.wake)
        self._events: Mailbox = self._session.events.subscribe()
        self._window = self._engines.capture[1]

    def talk(self, seconds: float) -> Iterator[list[Event]]:
        """Talk for this time of the session's clock. Yields the events of each utterance."""
        for audio, pause_s in zip(itertools.cycle(utterances()), itertools.cycle(PAUSES_S)):
            self._say(audio)
            self._say(np.zeros(int(pause_s * RATE_HZ), np.float32))
            yield list(iter(lambda: self._events.fetch(0), None))
            if self._clock.now() >= seconds:
                return

    def minute(self) -> float:
        """Minutes of talk so far."""
        return self._clock.now() / 60

    def close(self) -> None:
        """End the session and free the engines."""
        self._session.close("over")
        self._session.join(PATIENCE_S)
        self._engines.close()

    def _say(self, audio: Samples) -> None:
        for start in range(0, len(audio) - self._window + 1, self._window):
            self._clock.advance(self._window)
            self._wait()
            began = self._clock.now() - self._window / RATE_HZ
            self._session.feed(audio[start : start + self._window], RATE_HZ, began)
            self._wait()

    def _wait(self) -> None:
        if not self._session.activity.wait_idle(PATIENCE_S):
            raise RuntimeError(f"expected the pipeline to be idle within {PATIENCE_S:g} s; it was not")


def row(minute: float, events: Sequence[Event]) -> list[object]:
    """A row of the table: what happened since the last one, and what the process holds now."""
    turns = [event for event in events if isinstance(event, TurnDone) and event.state != "dropped"]
    heard = [turn for turn in turns if turn.heard]
    interrupted = sum(turn.state == "interrupted" for turn in turns)
    errors = sum(isinstance(event, ErrorEvent) for event in events)
    gc.collect()
    pid = os.getpid()
    steps = [step for turn in heard for step in turn.waterfall]
    took_ms = [
        [s.ends_ms - s.starts_ms for s in steps if s.name == part] for part in ("stt", "llm", "tts")
    ]
    medians = [f"{median(part):.0f}" if part else "" for part in took_ms]
    counts = [len(turns), len(heard), interrupted, errors]
    return [f"{minute:.0f}", *counts, f"{memory_mb(pid):.0f}", threads(pid), open_files(pid), *medians]


def main(minutes: float = MINUTES, flags: Sequence[str] = ()) -> str:
    """Run the benchmark and return its table."""
    talk = LongTalk([*PARTS, *flags])
    rows: list[list[object]] = []
    events: list[Event] = []
    began_s = time.monotonic()
    for happened in talk.talk(60 * minutes):
        events += happened
        if talk.minute() >= minutes * (len(rows) + 1) / LOOKS:
            rows.append(row(talk.minute(), events))
            print(rows[-1], f"{time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
            events = []
    talk.close()
    title = f"{minutes:g} minutes of talk, computed in {(time.monotonic() - began_s) / 60:.0f}"
    return table(title, HEADER, rows)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--minutes", type=float, default=MINUTES, help="minutes of talk")
    arguments, rest = reader.parse_known_args()
    print(machine())
    print(main(arguments.minutes, rest))
