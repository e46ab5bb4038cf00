"""The shared VAD: one thread for all sessions, one call for all waiting windows, and faults stay
local."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from engines.engines import Cascade, Engines
from pipeline.clock import SampleClock
from pipeline.errors import EngineError
from pipeline.events import ErrorEvent, SessionEnded, SpeechStarted
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from s2s_pipeline import build_pipeline
from testing.conversation import QUICK, WINDOW
from testing.fakes import (
    RATE_HZ,
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
    StoppableDetector,
)
from testing.sinks import RecordingSink
from utils.thread_manager import ThreadManager

LOUD = np.full(WINDOW, 0.5, np.float32)


class Party:
    """Sessions that share one detector."""

    def __init__(self, guests: int) -> None:
        self.detector = StoppableDetector()
        cascade = Cascade(
            SharedEngine(ScriptedRecognizer()),
            SharedEngine(ScriptedModel()),
            SharedEngine(ScriptedSynthesizer()),
        )
        self.engines = Engines(self.detector, QUICK, cascade, check_sound=False)
        self.sessions = [self._session() for _ in range(guests)]
        self.mail = [session.events.subscribe() for session in self.sessions]

    def _session(self) -> Session:
        clock = SampleClock(RATE_HZ)
        return build_pipeline(self.engines, RecordingSink(clock.now), clock=clock)

    def heard(self, guest: int, kind: type) -> bool:
        """True if one of the next events is of this kind."""
        while (event := self.mail[guest].fetch(60)) is not None:
            if isinstance(event, kind):
                return True
        return False

    def leave(self) -> None:
        self.detector.hold.open()
        for session in self.sessions:
            session.close()
            assert session.join(60) == []


@pytest.fixture
def party() -> Iterator[Party]:
    party = Party(4)
    yield party
    party.leave()


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait for an effect of another thread that sends no event; pytest's timeout ends a hang."""
    while not happened():
        threading.Event().wait(0.001)


def test_windows_that_wait_are_judged_in_one_call(party: Party) -> None:
    party.detector.hold.close()
    party.sessions[0].feed(LOUD, RATE_HZ)
    party.detector.hold.wait_until_reached()
    for session in party.sessions[1:]:
        session.feed(LOUD, RATE_HZ)
        session.feed(LOUD, RATE_HZ)
    party.detector.hold.open()
    for session in party.sessions:
        assert session.activity.wait_idle(10)
    assert party.detector.calls == [1, 3, 3], "one window of each session at a time"


def test_a_model_that_fails_costs_its_windows(party: Party) -> None:
    party.detector.error = EngineError("broken")
    party.sessions[0].feed(LOUD, RATE_HZ)
    assert party.heard(0, ErrorEvent)
    party.detector.error = None
    for guest, session in enumerate(party.sessions):
        for _ in range(3):
            session.feed(LOUD, RATE_HZ)
        assert party.heard(guest, SpeechStarted)


def test_a_reaction_that_fails_ends_its_session_alone(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    stages = party.sessions[0]._stages
    assert isinstance(stages, ThreadManager)
    monkeypatch.setattr(stages.handlers[0], "serve", broken)
    for session in party.sessions:
        for _ in range(3):
            session.feed(LOUD, RATE_HZ)
    assert party.heard(0, SessionEnded)
    assert party.heard(1, SpeechStarted)


def test_when_nobody_attends_any_more_the_thread_ends(party: Party) -> None:
    def hearing() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "shared VAD"]

    party.sessions[0].feed(LOUD, RATE_HZ)
    assert party.sessions[0].activity.wait_idle(10)
    assert hearing()
    party.leave()
    wait_for(lambda: not hearing())
    again = party._session()
    again.feed(LOUD, RATE_HZ)
    assert again.activity.wait_idle(10)
    assert party.detector.calls[-1] == 1
    again.close()
    assert again.join(60) == []


def test_who_has_left_is_forgotten_while_others_are_silent(party: Party) -> None:
    for session in party.sessions:
        session.feed(LOUD, RATE_HZ)
        assert session.activity.wait_idle(10)
    party.mail.pop(0)
    left = party.sessions.pop(0)
    left.close()
    assert left.join(60) == []
    gone = weakref.ref(left)
    del left
    wait_for(lambda: gc.collect() >= 0 and gone() is None)
