"""Cost of speculation: calls and computing time of the engines for answers that are thrown away.

On a sample clock, with Moonshine, Eliza and eSpeak. Time waits for them, so a guess is always computed
to its end before the user goes on. That is the most it can cost.
"""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from benchmarks.figures import table
from benchmarks.speech import GAP_S, RATE_HZ, sentences, utterances
from catalog.weights import SMART_TURN
from engines.engines import Cascade, Engines
from LLM.base import ChatModel
from LLM.eliza import ElizaModel
from pipeline.clock import SampleClock
from pipeline.events import TurnDone
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import Engine, SharedEngine, Work
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from STT.base import Recognizer
from STT.moonshine import MoonshineRecognizer
from testing.sinks import RecordingSink
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer
from VAD.base import TurnDetector
from VAD.silero import SileroDetector
from VAD.smart_turn import SmartTurnDetector
from VAD.turn_judges import TurnJudges

HESITATIONS_MS = (300, 700)
"""Lengths of pauses inserted at the quietest point in the middle of a sentence."""

WINDOW = 512
HEADER = (
    *("said", "speculation", "turns", "STT calls a turn", "LLM", "TTS"),
    *("guesses", "thrown away", "STT + LLM + TTS, CPU s a turn", "Smart Turn, CPU s a turn"),
)

E = TypeVar("E", bound=Engine)
T = TypeVar("T")


_alone = threading.Lock()
"""Lets one engine compute at a time, so that the CPU time of the process is that of the engine; the
clock waits."""


class Metered(SharedEngine[E]):
    """Counts the calls of its engine, and their CPU seconds over all cores."""

    def __init__(self, engine: E) -> None:
        super().__init__(engine)
        self.calls = 0
        self.cpu_s = 0.0

    def stream(
        self,
        work: Work[E, T],
        cancel: CancelToken,
        first_output_s: float | None = None,
        *,
        gives_way: bool = False,
    ) -> Generator[T, None, None]:
        def metered(engine: E, token: CancelToken) -> Iterator[T]:
            with self._meter():
                yield from work(engine, token)

        return super().stream(metered, cancel, first_output_s, gives_way=gives_way)

    def later(self, work: Callable[[E], object]) -> None:
        def metered(engine: E) -> None:
            with self._meter():
                work(engine)

        super().later(metered)

    @contextlib.contextmanager
    def _meter(self) -> Iterator[None]:
        with _alone:
            began = time.process_time()
            try:
                yield
            finally:
                self.cpu_s += time.process_time() - began
                self.calls += 1


@dataclass(frozen=True)
class Costs:
    """Cost of one conversation."""

    done: list[TurnDone]
    calls: list[int]
    """Calls of each engine: recognizer, model, synthesizer, turn detector."""
    cpu_s: list[float]

    def row(self) -> list[object]:
        """The counts and shares, and the cost of each turn that was answered."""
        answered = [turn for turn in self.done if turn.state == "done"]
        thrown_away = len(self.done) - len(answered)
        guesses = thrown_away + sum(turn.marks["begun"] < turn.marks["endpoint"] for turn in answered)
        a_turn = [calls / len(answered) for calls in self.calls]
        cpu_s = [seconds / len(answered) for seconds in self.cpu_s]
        share = f"{100 * thrown_away / guesses:.0f} %" if guesses else "–"
        return [len(answered), *a_turn[:3], guesses, share, sum(cpu_s[:3]), cpu_s[3]]


def hesitating(pause_ms: int) -> list[Samples]:
    """The sentences, each with a pause in its middle."""
    pause = np.zeros(RATE_HZ * pause_ms // 1000, np.float32)
    return [
        np.concatenate((said.beginning, pause, said.whole[len(said.beginning) :]))
        for said in sentences()
    ]


def converse(engines: Engines, said: list[Samples]) -> list[TurnDone]:
    """Say the utterances one after the other, and wait while the program speaks."""
    clock = SampleClock(RATE_HZ)
    session = build_pipeline(engines, RecordingSink(clock.now), clock=clock)
    clock.on_advance(session.playout.wake)
    mail = session.events.subscribe()
    done: list[TurnDone] = []

    def hear(window: Samples) -> None:
        clock.advance(WINDOW)
        session.activity.wait_idle()
        session.feed(window, RATE_HZ, clock.now() - WINDOW / RATE_HZ)
        session.activity.wait_idle()
        while (event := mail.fetch(0)) is not None:
            if isinstance(event, TurnDone):
                done.append(event)

    silence = np.zeros(WINDOW, np.float32)
    gap = np.zeros(int(GAP_S * RATE_HZ), np.float32)
    audio = np.concatenate([part for utterance in said for part in (utterance, gap)])
    for start in range(0, len(audio) - WINDOW + 1, WINDOW):
        while not session.should_listen.is_set():
            hear(silence)
        hear(audio[start : start + WINDOW])
    while not session.should_listen.is_set():
        hear(silence)
    session.close()
    session.join(5)
    return done


def measure(engines: Engines, metered: list[Metered[Any]], said: list[Samples]) -> Costs:
    """Measure one conversation."""
    for engine in metered:
        engine.calls, engine.cpu_s = 0, 0.0
    done = converse(engines, said)
    return Costs(done, [e.calls for e in metered], [e.cpu_s for e in metered])


def main() -> str:
    """Run the benchmark and return its table."""
    stt: Metered[Recognizer] = Metered(MoonshineRecognizer())
    llm: Metered[ChatModel] = Metered(ElizaModel())
    tts: Metered[Synthesizer] = Metered(EspeakSynthesizer())
    turns: Metered[TurnDetector] = Metered(SmartTurnDetector(str(SMART_TURN.path)))
    judges = TurnJudges(by_ear=turns)
    engines = Engines(SileroDetector(), EndpointerSettings(), Cascade(stt, llm, tts), judges)
    rows: list[list[object]] = []
    speech = {"human utterances": utterances()}
    speech |= {f"the same, a pause of {ms} ms in each": hesitating(ms) for ms in HESITATIONS_MS}
    for name, said in speech.items():
        for speculate in (False, True):
            settings = EndpointerSettings(speculate=speculate)
            changed = dataclasses.replace(engines, endpointing=settings)
            costs = measure(changed, [stt, llm, tts, turns], said)
            rows.append([f"{len(said)} {name}", "on" if speculate else "off", *costs.row()])
    engines.close()
    return table("What speculation costs, with Moonshine, Eliza and eSpeak", HEADER, rows)


if __name__ == "__main__":
    print(main())
