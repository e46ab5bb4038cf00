"""Work left for a recognizer when the user has finished: streaming beside recognizing all at once.

A streaming Nemotron of medium size with random weights, on one thread, in the real pipeline on a sample
clock: everything that can be computed while the user speaks is. Its words are noise; their cost is not.
Measured is the CPU time of the recognizer's thread, so that other work on the machine does not count;
the two ways take turns with every utterance.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures import median, table
from benchmarks.speech import RATE_HZ, questions
from benchmarks.zero_cost import zero_cost_engines
from engines.engines import Cascade, Engines
from pipeline.clock import SampleClock
from pipeline.events import Transcript
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from STT.base import RecognizerStream, Transcription
from STT.nemotron import NemotronRecognizer
from testing.conversation import settled
from testing.sinks import RecordingSink
from testing.tiny_recognizers import tiny_nemotron

LENGTHS_S = (2.0, 6.0)
COUNT = 3
"""Utterances of about each length."""

SIZE, LAYERS = 512, 8
"""Dimensions of the encoder; the published model has 1024 and 24."""

BLANK_BIAS = 60.0
"""Bias that makes it write five tokens a second, about as many as people speak, instead of the
maximum."""


class Timed:
    """A recognizer, and the milliseconds that its thread computed `while_speaking` and `afterward`."""

    def __init__(self, engine: NemotronRecognizer) -> None:
        self.engine = engine
        self.info = replace(engine.info, chunk_samples=0)
        self.while_speaking = 0.0
        self.afterward = 0.0

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        before = time.thread_time()
        heard = self.engine.transcribe(samples, language, cancel)
        self.afterward += 1000 * (time.thread_time() - before)
        return heard

    def close(self) -> None:
        """Nothing to free: the weights are shared with the others."""


class TimedStreaming(Timed):
    """A recognizer that streams while the user speaks."""

    def __init__(self, engine: NemotronRecognizer) -> None:
        super().__init__(engine)
        self.info = engine.info

    def open(self, language: str | None) -> "TimedStream":
        return TimedStream(self, self.engine.open(language), "while_speaking")


class TimedStream:
    """A stream; its copy is fed the rest when the user has finished."""

    def __init__(self, timed: TimedStreaming, stream: RecognizerStream, when: str) -> None:
        self._timed, self._stream, self._when = timed, stream, when

    def feed(self, samples: Samples, cancel: CancelToken) -> str:
        text: str = self._count(self._stream.feed, samples, cancel)
        return text

    def finish(self, cancel: CancelToken) -> Transcription:
        heard: Transcription = self._count(self._stream.finish, cancel)
        return heard

    def fork(self) -> "TimedStream":
        other = TimedStream(self._timed, self._stream, "afterward")
        other._stream = other._count(self._stream.fork)
        return other

    def _count(self, call: Any, *arguments: Any) -> Any:
        before = time.thread_time()
        result = call(*arguments)
        spent = getattr(self._timed, self._when) + 1000 * (time.thread_time() - before)
        setattr(self._timed, self._when, spent)
        return result


def hear(recognizer: Timed, audio: Samples) -> str:
    """Send one utterance through the pipeline and return its words."""
    others = zero_cost_engines()
    assert isinstance(others.voice, Cascade)
    voice = Cascade(SharedEngine(recognizer), others.voice.llm, others.voice.tts)
    engines = Engines(others.vad, EndpointerSettings(speculate=False), voice)
    clock = SampleClock(RATE_HZ)
    session = build_pipeline(engines, RecordingSink(clock.now), clock=clock)
    mail = session.events.subscribe()
    window = engines.capture[1]
    silence = np.zeros(RATE_HZ, np.float32)
    said = np.concatenate((silence[: RATE_HZ // 2], audio, silence))
    for start in range(0, len(said) - window, window):
        clock.advance(window)
        settled(session)
        session.feed(said[start : start + window], RATE_HZ, clock.now() - window / RATE_HZ)
        settled(session)
    words = []
    while (event := mail.fetch(0)) is not None:
        if isinstance(event, Transcript):
            words.append(event.text)
    session.close("heard")
    session.join(10)
    return " / ".join(words)


def main() -> str:
    """Run the benchmark and return its table."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model = str(tiny_nemotron(Path(folder), size=SIZE, layers=LAYERS))
        engines = {ms: NemotronRecognizer(model, "cpu", ms) for ms in (160, 560, 1120)}
    for engine in engines.values():
        engine.model.joint.head.bias.data[-1] += BLANK_BIAS
    rows: list[list[object]] = []
    for seconds in LENGTHS_S:
        figures: dict[tuple[int, bool], list[tuple[float, float]]] = {}
        for audio in questions(seconds, COUNT):
            for ms, engine in engines.items():
                heard = set()
                for kind in (Timed, TimedStreaming):
                    timed = kind(engine)
                    heard.add(hear(timed, audio))
                    key = ms, kind is TimedStreaming
                    figures.setdefault(key, []).append((timed.while_speaking, timed.afterward))
                assert len(heard) == 1, f"expected the same words both ways, got {heard}"
        for (ms, streams), spent in figures.items():
            way = "while it is said" if streams else "at once"
            before, after = (median(column) for column in zip(*spent, strict=True))
            rows.append([f"{seconds:.0f} s", f"{ms} ms", way, f"{before:.0f}", f"{after:.0f}"])
    parameters = sum(p.numel() for p in engines[560].model.parameters()) / 1e6
    title = (
        f"What is left when the user has finished: a Nemotron of {parameters:.0f} M random parameters"
    )
    header = ["utterances of about", "chunks", "recognized", "CPU ms before the end", "after it"]
    return table(title, header, rows)


if __name__ == "__main__":
    print(main())
