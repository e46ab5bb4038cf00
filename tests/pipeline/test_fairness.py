"""One slow slot for everybody: a user who asks turn after turn waits behind those who ask once."""

import threading
from collections.abc import Callable, Iterator

import pytest

from engines.engines import Cascade, Engines
from LLM.base import ChatModel
from pipeline.clock import SampleClock
from pipeline.session import Session
from pipeline.settings import SessionSettings
from pipeline.shared_engine import SharedEngine
from s2s_pipeline import build_pipeline
from STT.base import Recognizer
from testing.conversation import QUICK
from testing.fakes import (
    RATE_HZ,
    LoudnessDetector,
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from testing.sinks import RecordingSink
from TTS.base import Synthesizer


class Neighbours:
    """Sessions that share a model and a synthesizer of one slot each."""

    def __init__(self) -> None:
        self.model, self.synthesizer = ScriptedModel(slots=1), ScriptedSynthesizer(slots=1)
        stt: SharedEngine[Recognizer] = SharedEngine(ScriptedRecognizer())
        self.llm: SharedEngine[ChatModel] = SharedEngine(self.model)
        self.tts: SharedEngine[Synthesizer] = SharedEngine(self.synthesizer)
        self._engines = Engines(
            LoudnessDetector(), QUICK, Cascade(stt, self.llm, self.tts), check_sound=False
        )
        self.sessions: list[Session] = []

    def move_in(self) -> Session:
        """Open a session in which no turn makes way for the next: the greediest possible."""
        clock, settings = SampleClock(RATE_HZ), SessionSettings(reply_mode="stream")
        sink = RecordingSink(clock.now)
        self.sessions.append(build_pipeline(self._engines, sink, settings=settings, clock=clock))
        return self.sessions[-1]

    def asked(self) -> list[str]:
        """The questions to the model, in the order of its work; each prompt also holds earlier questions
        that have no answer yet."""
        return [prompt[-1].content.splitlines()[-1] for prompt in self.model.prompts]

    def leave(self) -> None:
        for engine in (self.model, self.synthesizer):
            engine.hold.open()
        for session in self.sessions:
            session.close()
            assert session.join(60) == []
        self._engines.close()


@pytest.fixture
def neighbours() -> Iterator[Neighbours]:
    neighbours = Neighbours()
    yield neighbours
    neighbours.leave()


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait for an effect of another thread that sends no event; pytest's timeout ends a hang."""
    while not happened():
        threading.Event().wait(0.001)


def test_turn_after_turn_is_no_way_to_push_ahead(neighbours: Neighbours) -> None:
    greedy, modest, quiet = (neighbours.move_in() for _ in range(3))
    neighbours.model.hold.close()
    for number in range(6):
        greedy.respond(f"greedy {number}")
    neighbours.model.hold.wait_until_reached()
    modest.respond("modest")
    wait_for(lambda: len(neighbours.llm._line) == 1)
    quiet.respond("quiet")
    wait_for(lambda: len(neighbours.llm._line) == 2)
    neighbours.model.hold.open()
    wait_for(lambda: len(neighbours.asked()) == 8)
    assert neighbours.asked() == ["greedy 0", "modest", "quiet", *(f"greedy {n}" for n in range(1, 6))]


def test_a_long_answer_lets_a_short_one_be_spoken_in_between(neighbours: Neighbours) -> None:
    talkative, terse = neighbours.move_in(), neighbours.move_in()
    neighbours.model._replies = ["One. Two. Three. Four.", "Short."]
    neighbours.synthesizer.hold.close()
    talkative.respond("tell me everything")
    neighbours.synthesizer.hold.wait_until_reached()
    wait_for(lambda: len(neighbours.asked()) == 1 and neighbours.llm.free_slots == 1)
    terse.respond("in a word?")
    wait_for(lambda: len(neighbours.tts._line) == 1)
    neighbours.synthesizer.hold.open()
    wait_for(lambda: len(neighbours.synthesizer.spoken) == 5)
    assert neighbours.synthesizer.spoken == ["One.", "Short.", "Two.", "Three.", "Four."]
