"""A model with one slot, and one user who asks turn after turn: how long do the others wait?"""

import random
import threading
import time
from collections.abc import Iterator, Sequence

from benchmarks.figures import median, percentile, table
from benchmarks.overhead import InstantSink
from benchmarks.zero_cost import REPLY, InstantRecognizer, InstantSynthesizer
from engines.engines import Cascade, Engines
from LLM.base import ChatModel
from pipeline.engine_info import ChatModelInfo
from pipeline.messages import ChatMessage
from pipeline.session import Session
from pipeline.settings import ANY_TOOL, EndpointerSettings, SessionSettings, Tool
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from testing.fakes import LoudnessDetector

OTHERS = 5
SECONDS = 20.0
CALL_S = 0.05
"""Time for which the model computes an answer."""

BETWEEN_S = 1.0
"""Mean time between two questions of a user: five users keep the model busy a quarter of the time."""

IN_LINE = 20
"""Unanswered questions that the greedy user keeps in the queue."""


class SlowModel:
    """A model with one slot."""

    info = ChatModelInfo(name="slow-llm")

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str]:
        time.sleep(CALL_S)
        yield REPLY

    def close(self) -> None:
        """Nothing to free."""


class Person:
    """A session in which no turn makes way for the next, and its answers."""

    def __init__(self, engines: Engines) -> None:
        settings = SessionSettings(reply_mode="stream")
        self._sink = InstantSink()
        self.session: Session = build_pipeline(engines, self._sink, settings=settings)
        self._asked: dict[int, float] = {}

    def ask(self) -> None:
        """Ask a question."""
        asked_at = time.monotonic()
        self._asked[self.session.respond("?").number] = asked_at

    @property
    def waiting(self) -> int:
        """Number of questions not yet answered."""
        return len(self._asked) - len(self._sink.first_frames)

    def waits_ms(self) -> list[float]:
        """Time from each question to the start of its answer."""
        answered = self._sink.first_frames
        return [
            1000 * (answered[turn] - asked) for turn, asked in self._asked.items() if turn in answered
        ]


def waits_ms(*, greedy: bool) -> tuple[list[float], int]:
    """Measure how long the others waited, and how many answers the greedy user had meanwhile."""
    llm: SharedEngine[ChatModel] = SharedEngine(SlowModel())
    cascade = Cascade(SharedEngine(InstantRecognizer()), llm, SharedEngine(InstantSynthesizer()))
    engines = Engines(LoudnessDetector(), EndpointerSettings(), cascade)
    others, pusher = [Person(engines) for _ in range(OTHERS)], Person(engines)
    over = threading.Event()

    def ask_now_and_then(person: Person, chance: random.Random) -> None:
        while not over.wait(chance.expovariate(1 / BETWEEN_S)):
            person.ask()

    def ask_on_and_on() -> None:
        while not over.wait(CALL_S / 5):
            while pusher.waiting < IN_LINE:
                pusher.ask()

    work = [(ask_now_and_then, (person, random.Random(n))) for n, person in enumerate(others)]
    threads = [threading.Thread(target=target, args=args) for target, args in work]
    if greedy:
        threads.append(threading.Thread(target=ask_on_and_on))
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    over.set()
    for thread in threads:
        thread.join()
    waits = [ms for person in others for ms in person.waits_ms()]
    pushed = len(pusher.waits_ms())
    for person in (*others, pusher):
        person.session.close()
        person.session.join(5)
    engines.close()
    return waits, pushed


def main() -> str:
    """Run the benchmark and return its table."""
    rows: list[list[object]] = []
    for name, greedy in ((f"{OTHERS} people", False), ("the same, and one who asks on and on", True)):
        waits, pushed = waits_ms(greedy=greedy)
        rows.append([name, len(waits), median(waits), percentile(waits, 0.95), pushed])
    title = f"One slot of a model that takes {1000 * CALL_S:.0f} ms for an answer"
    header = ["", "answers to the five", "they wait, median ms", "p95 ms", "answers to the greedy one"]
    return table(title, header, rows)


if __name__ == "__main__":
    print(main())
