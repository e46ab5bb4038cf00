"""Cost of running an engine in its own process, and how it protects the other sessions."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.figures import median, percentile, table
from benchmarks.zero_cost import RATE_HZ
from catalog.registry import EngineSpec, find
from engines.isolation.engines import isolate
from LLM.base import ChatModel
from pipeline.engine_info import ChatModelInfo, SynthesizerInfo
from pipeline.messages import AudioChunk, ChatMessage, Notice, ToolCall
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from STT.base import Recognizer
from TTS.base import Synthesizer

CALLS = 60
WORDS = 200
"""Words of an answer, each yielded separately."""

SENTENCE = "How would an answer to that help you?"
HOPS = 500
HOP_S = 0.02
"""Time between two frames of a session."""

WORDY = EngineSpec("llm", "wordy", "", "benchmarks.isolation:WordyModel")
BUSY = EngineSpec("tts", "busy", "", "benchmarks.isolation:BusySynthesizer")


class WordyModel:
    """Answers with `WORDS` words at no cost."""

    info = ChatModelInfo(name="wordy-llm")

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str | ToolCall | Notice]:
        yield from ["word "] * WORDS

    def close(self) -> None:
        """Nothing to free."""


class BusySynthesizer:
    """Computes in Python without a break, as a loop over tokens does, and yields 80 ms of audio every 80
    ms until it is cancelled."""

    info = SynthesizerInfo(name="busy-tts", sample_rate_hz=RATE_HZ, languages=("any",))

    def expect_voice(self, voice: str) -> None:
        """Accept any voice."""

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        chunk = AudioChunk(np.zeros(RATE_HZ * 80 // 1000, np.float32), RATE_HZ)
        while not cancel.cancelled:
            until, sums = time.monotonic() + 0.08, 0
            while time.monotonic() < until:
                sums += sum(range(100))
            yield chunk

    def close(self) -> None:
        """Nothing to free."""


def first_ms(begin: Callable[[], Iterator[Any]]) -> tuple[float, float]:
    """Measure a call: the time to its first output, and to its end."""
    begun = time.monotonic()
    outputs = begin()
    next(outputs)
    first = time.monotonic()
    for _ in outputs:
        pass
    return 1000 * (first - begun), 1000 * (time.monotonic() - begun)


def side_by_side(begin: Callable[[Any], Iterator[Any]], bare: Any, isolated: Any) -> list[object]:
    """Run the same call on both engines in turn, so that the machine is equally busy for both."""
    times: tuple[list[tuple[float, float]], ...] = [], []
    for _ in range(CALLS):
        for engine, measured in zip((bare, isolated), times, strict=True):
            measured.append(first_ms(lambda engine=engine: begin(engine)))  # type: ignore[misc]
    for engine in (bare, isolated):
        engine.close()
    return [median([pair[at] for pair in measured]) for at in (0, 1) for measured in times]


def costs() -> str:
    """Measure the cost of isolation and return the table."""
    espeak, moonshine = find("tts", "espeak"), find("stt", "moonshine")
    synthesizer = espeak.load()()
    (chunk,) = synthesizer.synthesize(SENTENCE, None, None, CancelToken())

    def speak(engine: Synthesizer) -> Iterator[Any]:
        return engine.synthesize(SENTENCE, None, None, CancelToken())

    def answer(engine: ChatModel) -> Iterator[Any]:
        return engine.generate([ChatMessage("user", SENTENCE)], CancelToken())

    def recognize(engine: Recognizer) -> Iterator[Any]:
        return iter([engine.transcribe(chunk.samples, None, CancelToken())])

    seconds = len(chunk.samples) / chunk.sample_rate_hz
    spoken = side_by_side(speak, synthesizer, isolate(espeak, {}, "cpu"))
    answered = side_by_side(answer, WordyModel(), isolate(WORDY, {}, "cpu"))
    recognized = side_by_side(recognize, moonshine.load()(), isolate(moonshine, {}, "cpu"))
    rows = [
        [f"moonshine, {seconds:.1f} s of speech", *recognized],
        [f"a model that gives {WORDS} words at once", *answered],
        ["espeak, a sentence", *spoken],
    ]
    header = ["", "first output, bare, ms", "isolated, ms", "all of it, bare, ms", "isolated, ms"]
    return table(f"An engine, bare and in a process of its own (medians of {CALLS})", header, rows)


def lateness_ms(engine: Synthesizer | None) -> list[float]:
    """Measure how late a session's frames are beside the engine: one every `HOP_S`, from thread to
    thread."""
    cancel, going = CancelToken(), threading.Event()

    def keep_busy() -> None:
        if engine is not None:
            for _ in engine.synthesize("", None, None, cancel):
                going.set()

    busy = threading.Thread(target=keep_busy)
    busy.start()
    if engine is not None:
        going.wait()
    late: list[float] = []
    handed, sent = threading.Semaphore(0), [0.0]

    def receive() -> None:
        for _ in range(HOPS):
            handed.acquire()
            late.append(1000 * (time.monotonic() - sent[0]))

    receiver = threading.Thread(target=receive)
    receiver.start()
    for _ in range(HOPS):
        due = time.monotonic() + HOP_S
        time.sleep(HOP_S)
        sent[0] = due
        handed.release()
    receiver.join()
    cancel.cancel()
    busy.join()
    return late


def spares() -> str:
    """Measure the lateness of other sessions' frames and return the table."""
    isolated = isolate(BUSY, {}, "cpu")
    rows: list[list[object]] = []
    for name, engine in (("none", None), ("in the program", BusySynthesizer()), ("isolated", isolated)):
        late = lateness_ms(engine)
        rows.append([name, median(late), percentile(late, 0.95), max(late)])
    isolated.close()
    header = ["an engine that computes in Python", "a frame is late, median ms", "p95 ms", "max ms"]
    title = f"Frames of other sessions beside it, one every {1000 * HOP_S:.0f} ms"
    return table(f"{title}; switch interval {1000 * sys.getswitchinterval():.1f} ms", header, rows)


def main() -> str:
    """Run the benchmark and return both tables."""
    return costs() + "\n" + spares()


if __name__ == "__main__":
    print(main())
