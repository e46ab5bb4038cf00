"""Playout's table in docs/architecture.md: every state, every event, and the text heard in the end."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from pipeline.activity import Activity
from pipeline.channel import END, Channel
from pipeline.clock import SampleClock
from pipeline.gate import Gate
from pipeline.mailbox import Mailboxes
from pipeline.messages import EndOfTurn, Speech
from pipeline.playout import DUCK_GAIN, ECHO_TAIL_S, Playout
from pipeline.settings import SessionSettings
from pipeline.sound_check import SoundSource
from pipeline.turn import Origin, Turn, TurnState
from testing.sinks import RecordingSink
from tests.pipeline.test_turn import state_of
from utils.thread_manager import ThreadManager

RATE_HZ = 16000
FRAME_MS = 20
UNCHECKED = SoundSource("tts", lambda: "numbers", is_checked=False)
"""Its samples are numbers that the tests recognize."""


class Stage:
    """A playout on a clock that the test advances, and the observer of its turns."""

    def __init__(self, *, can_flush: bool = True, can_duck: bool = False) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.activity = Activity()
        self.channel: Channel[Speech | EndOfTurn] = Channel(8, self.activity)
        self.sink = RecordingSink(self.clock.now, can_flush=can_flush, can_duck=can_duck)
        self.gate = Gate()
        self.events = Mailboxes()
        self.settled: list[tuple[int, str, bool]] = []
        self.corrected: list[tuple[int, str]] = []
        self.turns = 0
        self.reports_at_once = True
        self.playout = Playout(
            threading.Event(),
            self.channel,
            None,
            setup_args=(self.sink, self.clock, self.gate, self.events, self, UNCHECKED),
        )
        self.clock.on_advance(self.playout.wake)
        self.threads = ThreadManager([self.playout])
        self.threads.start()

    # the part of the session
    def now(self) -> float:
        return self.clock.now()

    def turn_moved(self, turn: Turn, state: TurnState) -> None:
        if state is TurnState.COMMITTED and self.reports_at_once:
            self.report(turn)
        elif state in (TurnState.INTERRUPTED, TurnState.DROPPED):
            self.playout.settle(turn)
            self.channel.forget_the_dead()

    def report(self, turn: Turn) -> None:
        turn.on_commit = None
        self.playout.committed(turn)

    def turn_failed(self, turn: Turn, stage: str, error: Exception) -> None: ...

    def turn_settled(self, turn: Turn, heard: str, started: bool) -> None:
        self.settled.append((turn.number, heard, started))

    def heard_corrected(self, turn: int, heard: str) -> None:
        self.corrected.append((turn, heard))

    # used by the tests
    def turn(self, *, committed: bool = True) -> Turn:
        self.turns += 1
        turn = Turn(self.turns, Origin.SPEECH, SessionSettings(), self)
        if committed:
            turn.commit()
        return turn

    def speech(self, turn: Turn, text: str, ms: int, level: float = 0.5) -> None:
        samples = np.full(ms * RATE_HZ // 1000, level, np.float32)
        assert self.channel.offer(Speech(turn, samples, RATE_HZ, text, ends_text=True))

    def end(self, turn: Turn) -> None:
        assert self.channel.offer(EndOfTurn(turn, "complete"))

    def rest(self) -> None:
        assert self.activity.wait_idle(60), "playout does not become idle"

    def pass_ms(self, ms: int) -> None:
        self.rest()
        for _ in range(ms // 4):
            self.clock.advance(4 * RATE_HZ // 1000)
            self.rest()

    def sent_ms(self, turn: Turn | None = None) -> float:
        return 1000 * len(self.sink.audio(turn.number if turn else None)) / RATE_HZ


@contextmanager
def running(**kwargs: bool) -> Iterator[Stage]:
    stage = Stage(**kwargs)
    yield stage
    assert stage.threads.stop(10) == []


def test_a_committed_turn_is_played_at_the_pace_of_the_clock_and_then_done() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.speech(turn, "hello", 200)
        stage.end(turn)
        stage.rest()
        assert stage.sent_ms() == 60, "the lead, at once"
        assert state_of(turn) is TurnState.SPEAKING
        stage.pass_ms(100)
        assert stage.sent_ms() == 160
        stage.pass_ms(96)
        assert state_of(turn) is TurnState.SPEAKING, "196 ms of 200 are heard"
        stage.pass_ms(8)
        assert state_of(turn) is TurnState.DONE
        assert stage.settled == [(1, "hello", True)]


def test_a_tentative_turn_is_held_until_it_is_committed() -> None:
    with running() as stage:
        turn = stage.turn(committed=False)
        stage.speech(turn, "hello", 100)
        stage.end(turn)
        stage.pass_ms(200)
        assert stage.sent_ms() == 0
        assert stage.gate.should_listen.is_set(), "held audio does not close the microphone"
        turn.commit()
        stage.pass_ms(200)
        assert stage.sent_ms() == 100
        assert turn.state is TurnState.DONE


def test_a_reply_waits_until_the_commit_of_its_turn_has_been_reported() -> None:
    """Or else its words would sometimes be told before the user's."""
    with running() as stage:
        stage.reports_at_once = False
        turn = stage.turn()
        stage.speech(turn, "hello", 100)
        stage.end(turn)
        stage.pass_ms(200)
        assert (stage.sent_ms(), turn.state) == (0, TurnState.COMMITTED)
        stage.report(turn)
        stage.pass_ms(200)
        assert (stage.sent_ms(), turn.state) == (100, TurnState.DONE)


def test_audio_that_comes_after_the_commit_is_played_at_once() -> None:
    with running() as stage:
        turn = stage.turn(committed=False)
        stage.rest()
        turn.commit()
        stage.speech(turn, "hello", 40)
        stage.rest()
        assert stage.sent_ms() == 40


def test_a_tentative_turn_with_nothing_to_say_is_done_when_it_is_committed() -> None:
    with running() as stage:
        turn = stage.turn(committed=False)
        stage.end(turn)
        stage.pass_ms(40)
        assert state_of(turn) is TurnState.TENTATIVE
        turn.commit()
        stage.rest()
        assert state_of(turn) is TurnState.DONE
        assert stage.settled == [(1, "", False)]


@pytest.mark.parametrize("state", ["idle", "holding", "playing", "ducked", "paused", "draining"])
@pytest.mark.parametrize("event", ["drop", "interrupt", "END"])
def test_the_end_of_a_turn_from_every_state(state: str, event: str) -> None:
    with running() as stage:
        turn = stage.turn(committed=False)
        if state != "idle":
            stage.speech(turn, "one two three four five", 400)
            stage.rest()
        if state not in ("idle", "holding"):
            turn.commit()
            stage.pass_ms(100)
        if state == "ducked":
            stage.playout.duck()
        if state == "paused":
            stage.playout.pause("test")
        if state == "draining":
            stage.end(turn)
            stage.pass_ms(260)
            assert stage.sent_ms() == 400
        if event == "END":
            stage.end(turn)
            assert stage.channel.put(END)
            stage.rest()
            assert turn.alive, "END waits for what is being spoken"
            stage.playout.resume("test")
            turn.commit()
            stage.pass_ms(500)
            assert turn.state is TurnState.DONE
            assert stage.threads.join(60) == []
            return
        sent = stage.sent_ms()
        moved = getattr(turn, event)("enough")
        assert moved == (event == "interrupt" or state in ("idle", "holding"))
        if not moved:
            return
        assert [number for number, _, _ in stage.settled] == [1], "settled before the call returned"
        stage.playout.resume("test")
        stage.pass_ms(200)
        assert stage.sent_ms() == sent, "nothing of it comes afterwards"
        following = stage.turn()
        stage.speech(following, "next", 40, level=0.25)
        stage.end(following)
        stage.pass_ms(200)
        assert following.state is TurnState.DONE, "the next turn speaks"
        assert np.all(stage.sink.audio(2) == np.float32(0.25)), "at full loudness"


def test_an_interruption_flushes_and_remembers_only_what_was_heard() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.speech(turn, "one ", 200)
        stage.speech(turn, "two three four five", 400)
        stage.pass_ms(400)
        turn.interrupt("enough")
        assert stage.settled == [(1, "one two three", True)]
        assert stage.sink.flushes == [(1, 400 * RATE_HZ // 1000)]


def test_a_client_may_correct_later_what_was_heard_but_not_beyond_what_was_sent() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.speech(turn, "one two three four", 400)
        stage.pass_ms(200)
        turn.interrupt("enough")
        stage.playout.played(1, 120 * RATE_HZ // 1000)
        stage.playout.played(1, 10 * RATE_HZ)
        stage.playout.played(99, 5)
        assert stage.corrected == [(1, "one"), (1, "one two")]


def test_a_correction_reaches_back_to_the_first_word() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.speech(turn, "one two ", 400)
        stage.speech(turn, "three four", 400)
        stage.speech(turn, "five", 2000)
        stage.pass_ms(2600)
        turn.interrupt("enough")
        stage.playout.played(1, 220 * RATE_HZ // 1000)
        assert stage.corrected == [(1, "one")]


def test_ducking_is_reversible_and_does_not_click() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.speech(turn, "hello", 1000)
        stage.pass_ms(100)
        stage.playout.duck()
        stage.pass_ms(100)
        stage.playout.duck(until=-math.inf)
        stage.pass_ms(100)
        audio = stage.sink.audio()
        assert audio.min() == np.float32(0.5 * DUCK_GAIN)
        assert audio[-1] == 0.5
        assert np.max(np.abs(np.diff(audio))) < 0.01


def test_a_client_that_can_ducks_by_itself_and_the_next_reply_is_as_loud_as_ever() -> None:
    with running(can_duck=True) as stage:
        turn = stage.turn()
        stage.speech(turn, "hello", 200)
        stage.pass_ms(20)
        stage.playout.duck()
        stage.pass_ms(100)
        turn.interrupt("enough")
        following = stage.turn()
        stage.speech(following, "next", 100)
        stage.pass_ms(100)
        assert stage.sink.gains == [DUCK_GAIN, 1.0]
        assert np.all(stage.sink.audio() == 0.5)


def test_the_microphone_is_not_believed_from_the_first_sample_until_the_echo_is_gone() -> None:
    with running() as stage:
        stage.pass_ms(40)
        turn = stage.turn()
        stage.speech(turn, "hello", 100)
        stage.end(turn)
        stage.rest()
        began = stage.clock.now()
        assert not stage.gate.should_listen.is_set()
        stage.pass_ms(100 + int(1000 * ECHO_TAIL_S) - 8)
        assert not stage.gate.should_listen.is_set()
        stage.pass_ms(12)
        assert stage.gate.should_listen.is_set()
        over = began + 0.1 + ECHO_TAIL_S
        taken = [t for t in np.arange(0, 1, 0.01) if stage.gate.takes(t)]
        assert all(t < began or t >= over - 1e-6 for t in taken)
        assert stage.gate.takes(began - 0.001)
        assert stage.gate.takes(over + 0.001)


def test_a_reply_does_not_begin_while_the_user_has_the_floor() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.playout.floor_until(math.inf)
        stage.speech(turn, "hello", 100)
        stage.pass_ms(100)
        assert stage.sent_ms() == 0
        stage.playout.floor_until(-math.inf)
        stage.rest()
        assert stage.sent_ms() == 60


def test_the_floor_is_lost_by_who_does_not_renew_it() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.playout.floor_until(stage.clock.now() + 0.2)
        stage.speech(turn, "hello", 100)
        stage.pass_ms(196)
        assert stage.sent_ms() == 0
        stage.pass_ms(8)
        assert stage.sent_ms() > 0


def test_a_client_that_reads_nothing_can_still_be_interrupted() -> None:
    with running() as stage:
        turn = stage.turn()
        stage.speech(turn, "one two three four five", 500)
        stage.pass_ms(100)
        stage.sink.blocked = True
        stage.pass_ms(400)
        assert stage.sent_ms() == 160
        turn.interrupt("enough")
        assert len(stage.settled) == 1
        stage.sink.blocked = False
        following = stage.turn()
        stage.speech(following, "next", 40)
        stage.end(following)
        stage.pass_ms(100)
        assert following.state is TurnState.DONE


def test_a_turn_whose_end_was_forgotten_does_not_block_the_next() -> None:
    with running() as stage:
        first, second = stage.turn(), stage.turn()
        stage.speech(first, "first", 40)
        stage.speech(second, "second", 40)
        stage.end(second)
        stage.pass_ms(200)
        assert first.state is second.state is TurnState.DONE
