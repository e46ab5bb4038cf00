"""The duplex stage's table in docs/architecture.md, on a clock that the test advances."""

import random
import time

import numpy as np
import pytest

from pipeline.clock import SampleClock
from pipeline.errors import EngineError
from pipeline.events import (
    AudioLost,
    ErrorEvent,
    FramesLate,
    InputLevel,
    Interrupted,
    ListeningChanged,
    NoticeGiven,
    ReplyStarted,
    ReplyText,
    TurnCommitted,
    TurnDone,
)
from pipeline.messages import Samples
from pipeline.settings import SessionSettings
from pipeline.sink import Frame
from S2S.duplex_handler import HANG_S, TAIL_QUIET_S, TAIL_S
from testing.duplex import FRAME, FRAME_MS, RATE_HZ, DuplexConversation, FakeDuplexModel
from testing.sinks import RecordingSink

PATIENCE_S = 10.0


def heard_peaks(conversation: DuplexConversation) -> list[float]:
    return [round(peak, 2) for peak in conversation.model.peaks]


def test_all_that_the_model_says_is_one_turn_which_begins_with_the_first_frame() -> None:
    with DuplexConversation() as talk:
        talk.say(60)
        assert talk.events() == []
        talk.say(2940, 0.5)
        committed, started, *texts = talk.events(TurnCommitted, ReplyStarted, ReplyText)
        assert committed == TurnCommitted(1, "duplex", True)
        assert started == ReplyStarted(1)
        assert [text.text for text in texts if isinstance(text, ReplyText)] == [
            " 0",
            " 10",
            " 20",
            " 30",
        ]
        assert len(talk.model.opened) == 1


def test_an_answer_is_due_two_frames_after_its_frame_was_captured() -> None:
    with DuplexConversation(FakeDuplexModel()) as talk:
        talk.say(2 * FRAME_MS - 20, 0.5)
        assert len(talk.sink.audio()) == 0
        talk.say(20, 0.5)
        assert len(talk.sink.audio()) == 60 * RATE_HZ // 1000, "the lead, at once"
        talk.say(5000, 0.5)
        late_ms = 160 + 5000 - 1000 * len(talk.sink.audio()) / RATE_HZ
        assert late_ms in (100, 120), "two frames, less the lead, in blocks of 20 ms"
        assert set(talk.sink.audio()) == {np.float32(0.5)}, "without a gap"


def test_an_interruption_flushes_and_the_next_frame_begins_a_turn_with_the_same_state() -> None:
    with DuplexConversation() as talk:
        talk.say(1000, 0.5)
        talk.session.interrupt("the client asked for it")
        assert len(talk.sink.flushes) == 1
        frames = len(talk.sink.frames)
        talk.say(20, 0.5)
        talk.say(980, 0.5)
        done = talk.events(TurnDone)
        assert [(event.turn, event.state, event.heard) for event in done] == [(1, "interrupted", "0")]
        assert done[0].latency.total_ms is None, "there is no end of speech to count from"
        assert talk.events(Interrupted)[0].heard == "0"
        assert talk.sink.turns() == [1, 2]
        assert all(frame.turn == 2 for frame in talk.sink.frames[frames:])
        assert talk.sink.frames[frames].sample == 0
        texts = [event.text for event in talk.events(ReplyText) if event.turn == 2]
        assert texts == [" 20"], "the model counts on"
        assert len(talk.model.opened) == 1


def test_the_microphone_stays_open_and_the_user_is_warned_once_of_the_echo() -> None:
    with DuplexConversation(full_duplex=False) as talk:
        talk.say(2000, 0.5)
        talk.session.interrupt("stop")
        talk.say(2000, 0.5)
        assert talk.session.should_listen.is_set()
        assert talk.events(ListeningChanged) == []
        assert [notice.code for notice in talk.events(NoticeGiven)] == ["echo"]
    with DuplexConversation() as talk:
        talk.say(1000, 0.5)
        assert talk.events(NoticeGiven) == []


def test_push_to_talk_the_model_hears_silence_outside_the_users_turns() -> None:
    with DuplexConversation(settings=SessionSettings(hands_free=False)) as talk:
        talk.say(160, 0.5)
        talk.session.start_speech()
        talk.say(160, 0.5)
        talk.session.commit_speech()
        talk.say(160, 0.5)
        talk.session.start_speech()
        talk.session.cancel_speech()
        talk.say(160, 0.5)
        assert heard_peaks(talk) == [0, 0, 0.5, 0.5, 0, 0, 0, 0]
        assert talk.sink.turns() == [1], "pressing the key does not interrupt the model"


def test_typed_text_is_refused_with_one_sentence() -> None:
    with DuplexConversation() as talk:
        with pytest.raises(EngineError, match="listens, it does not read"):
            talk.session.respond("hello")
        with pytest.raises(EngineError, match="listens, it does not read"):
            talk.session.say("hello")


def test_a_frame_that_fails_ends_the_turn_and_later_a_new_state_begins() -> None:
    model = FakeDuplexModel()
    model.fails_at = {10}
    with DuplexConversation(model) as talk:
        talk.say(880, 0.5)
        errors = talk.events(ErrorEvent)
        assert [(error.stage, error.code, error.text, error.turn) for error in errors] == [
            ("s2s", "engine_failed", "it stumbled", 1)
        ]
        model.fails_at = set()
        talk.say(900, 0.5)
        assert (len(model.opened), model.closed) == (1, 1), "the pause of a second is not over"
        assert [(end.turn, end.reason) for end in talk.events(TurnDone)] == [(1, "s2s failed")]
        talk.say(1000, 0.5)
        assert len(model.opened) == 2
        assert talk.sink.turns() == [1, 2]
        assert talk.engines.places.free == 0


def test_a_model_that_always_fails_does_not_flood_the_client() -> None:
    model = FakeDuplexModel()
    model.fails_at = set(range(1000))
    with DuplexConversation(model) as talk:
        talk.say(60_000, 0.5)
        assert len(talk.events(ErrorEvent)) == 6, "after 0, 1, 3, 7, 15 and 31 s"
        assert model.closed == len(model.opened) == 6
        assert len(talk.events(TurnDone)) == 6


def test_a_model_that_has_recovered_is_paused_only_briefly_again() -> None:
    model = FakeDuplexModel()
    model.fails_at = {200}
    with DuplexConversation(model) as talk:
        talk.say(100_000, 0.5)
        assert len(talk.events(ErrorEvent)) == 5, "every 16 s and a second"


@pytest.mark.parametrize("length", [0, 1, FRAME - 1, FRAME + 1, 2 * FRAME])
def test_an_answer_of_another_length_is_an_error_unless_it_is_empty(length: int) -> None:
    model = FakeDuplexModel()
    model.says = {5: np.zeros(length, np.float32)}
    with DuplexConversation(model) as talk:
        talk.say(1000, 0.5)
        codes = [error.code for error in talk.events(ErrorEvent)]
        assert codes == ([] if length == 0 else ["bad_frame"])


@pytest.mark.parametrize("wrong", [None, [0.0] * FRAME, np.zeros((FRAME, 1), np.float32)])
def test_an_answer_that_is_no_audio_is_an_error(wrong: object) -> None:
    model = FakeDuplexModel()
    model.says = {5: wrong}
    with DuplexConversation(model) as talk:
        talk.say(1000, 0.5)
        assert [error.code for error in talk.events(ErrorEvent)] == ["bad_frame"]


def test_what_is_not_a_number_does_not_reach_the_loudspeaker() -> None:
    model = FakeDuplexModel()
    model.says = {5: np.full(FRAME, np.nan, np.float32), 6: np.full(FRAME, np.inf, np.float32)}
    with DuplexConversation(model) as talk:
        talk.say(2000, 0.5)
        assert np.isfinite(talk.sink.audio()).all()


def test_a_frame_that_does_not_return_ends_with_the_session_and_frees_its_place_when_it_returns() -> (
    None
):
    with DuplexConversation() as talk:
        talk.say(500, 0.5)
        talk.model.hold.close()
        talk.say(FRAME_MS, 0.5, settle=False)
        talk.model.hold.wait_until_reached()
        talk.session.close("the client left")
        assert talk.session.join(PATIENCE_S) == []
        assert (talk.model.closed, talk.engines.places.free) == (0, 0)
        talk.model.hold.open()
        assert talk.model.all_closed.wait(PATIENCE_S)


def test_an_interruption_in_the_middle_of_a_frame_does_not_cost_the_model_that_frame() -> None:
    with DuplexConversation() as talk:
        talk.say(500, 0.5)
        talk.model.hold.close()
        talk.say(FRAME_MS, 0.5, settle=False)
        talk.model.hold.wait_until_reached()
        talk.session.interrupt("stop")
        talk.model.hold.open()
        talk.say(2000, 0.5)
        assert len(talk.model.opened) == 1
        assert len(talk.model.peaks) == (500 + FRAME_MS + 2000) // FRAME_MS
        assert talk.sink.turns() == [1, 2]


def test_the_end_of_the_input_lets_the_model_finish() -> None:
    with DuplexConversation(FakeDuplexModel(delay=12)) as talk:
        talk.say(800, 0.5)
        talk.session.finish()
        while not talk.events(TurnDone):
            talk.say(20)
        heard = talk.sink.audio()
        assert np.count_nonzero(heard == 0.5) == 800 * RATE_HZ // 1000, "all that was said"
        tail_s = len(talk.model.peaks) * FRAME_MS / 1000 - 0.8
        assert 0.96 + TAIL_QUIET_S - 0.1 < tail_s < 0.96 + TAIL_QUIET_S + 0.1
        assert talk.events(TurnDone)[0].reason == "complete"
        assert talk.session.join(PATIENCE_S) == []
        assert talk.model.all_closed.wait(PATIENCE_S)


def test_a_model_that_does_not_stop_is_cut_off_after_the_input_has_ended() -> None:
    model = FakeDuplexModel()
    model.says = {number: np.full(FRAME, 0.3, np.float32) for number in range(1000)}
    with DuplexConversation(model) as talk:
        talk.say(800, 0.5)
        talk.session.finish()
        while not talk.events(TurnDone):
            talk.say(20)
        assert len(model.peaks) == (800 + 1000 * TAIL_S) / FRAME_MS


def test_a_model_that_fails_after_the_input_has_ended() -> None:
    model = FakeDuplexModel()
    model.fails_at = {15}
    with DuplexConversation(model) as talk:
        talk.say(800, 0.5)
        talk.session.finish()
        while not talk.events(TurnDone):
            talk.say(20)
        assert [error.text for error in talk.events(ErrorEvent)] == ["it stumbled"]
        assert talk.events(TurnDone)[0].reason == "s2s failed"
        assert talk.session.join(PATIENCE_S) == []


def test_the_level_of_the_microphone_is_shown_to_those_who_want_it() -> None:
    with DuplexConversation() as talk:
        box = talk.session.events.subscribe(live=(InputLevel,))
        talk.say(FRAME_MS, 0.25)
        levels = []
        while (event := box.fetch(0)) is not None:
            levels += [event.rms] if isinstance(event, InputLevel) else []
        assert levels == [pytest.approx(0.25)]


class TimedSink(RecordingSink):
    """Also keeps when each frame will be heard."""

    def __init__(self, clock: SampleClock) -> None:
        super().__init__(clock.now, full_duplex=True)
        self.times: list[float] = []

    def play(self, frame: Frame) -> None:
        super().play(frame)
        self.times.append(self.heard_all_at(0) - self.frame_samples / self.rate_hz)


def speech_of(number: int) -> Samples:
    """Block `number` of 20 ms: its level tells when it was said; levels repeat after 80 s."""
    return np.full(RATE_HZ // 50, 0.1 + number % 4000 / 5000, np.float32)


def said_at(level: float) -> float:
    return 0.02 * round((level - 0.1) * 5000)


class Latencies:
    """A conversation that measures for every frame heard when its audio was said."""

    def __init__(self, model: FakeDuplexModel) -> None:
        clock = SampleClock(RATE_HZ)
        self.sink = TimedSink(clock)
        self.talk = DuplexConversation(model, sink=self.sink, clock=clock)
        self._block = 0

    def say(self, ms: int, *, settle: bool = True) -> None:
        for _ in range(ms // 20):
            self.talk.say_samples(speech_of(self._block), settle=settle)
            self._block += 1

    def of(self, start_s: float, end_s: float) -> list[float]:
        """Latency in ms of the frames heard between these times. The middle of a frame is looked at,
        since its ends may be faded."""
        heard = zip(self.sink.times, self.sink.frames, strict=True)
        return [
            round(1000 * (at - said_at(float(np.median(frame.samples))))) % 80_000
            for at, frame in heard
            if start_s <= at < end_s
        ]


def test_audio_that_was_lost_is_not_replaced_and_the_reply_stays_on_time() -> None:
    timed = Latencies(FakeDuplexModel())
    with timed.talk as talk:
        timed.say(1000)
        talk.model.hold.close()
        timed.say(FRAME_MS, settle=False)
        talk.model.hold.wait_until_reached()
        timed.say(8000, settle=False)  # more than the backlog of five seconds
        talk.model.hold.open()
        timed.say(6000)
        (lost,) = talk.events(AudioLost)
        said = (1000 + FRAME_MS + 8000 + 6000) // FRAME_MS
        assert len(talk.model.peaks) == said - lost.samples // FRAME
        assert set(timed.of(13, 16)) == {160}
        assert talk.events(FramesLate)


@pytest.mark.parametrize("seed", range(5))
def test_interruptions_at_random_moments_leave_the_latency_as_it_is(seed: int) -> None:
    chance = random.Random(seed)
    timed = Latencies(FakeDuplexModel())
    with timed.talk as talk:
        for _ in range(20):
            timed.say(20 * chance.randrange(1, 40))
            talk.session.interrupt("stop")
        timed.say(1000)
        assert set(timed.of(0, 100)) == {160}
        assert talk.events(FramesLate, ErrorEvent) == []
        ended = [event.turn for event in talk.events(TurnDone)]
        assert ended == sorted(set(ended)), "each turn ended once"
        assert len(talk.model.opened) == 1


def test_after_a_model_was_slow_for_five_seconds_the_latency_is_what_it_was() -> None:
    model = FakeDuplexModel()
    slow = range(60, 102)
    model.compute_s = dict.fromkeys(slow, 0.12) | dict.fromkeys(range(102, 400), 0.01)
    timed = Latencies(model)
    with timed.talk as talk:
        timed.say(25_000)
        usual = set(timed.of(1, 4.8))
        assert usual == {160}
        during = timed.of(4.8, 12)
        assert max(during) <= 160 + 160 + 60, "what is later is left out"
        assert set(timed.of(15, 24)) == usual, "the latency is back"
        late = talk.events(FramesLate)
        assert sum(event.frames for event in late) == pytest.approx(62, abs=6)
        assert max(event.worst_ms for event in late) == pytest.approx(42 * 40, abs=200)
        jumps = np.abs(np.diff(talk.sink.audio()[: RATE_HZ * 4]))
        assert jumps.max() < 0.01
        assert talk.events(ErrorEvent) == []


def test_a_short_hiccup_costs_no_frame_and_its_lag_is_taken_back_where_the_model_is_silent() -> None:
    model = FakeDuplexModel()
    model.compute_s = {30: 0.2}
    model.says = {n: np.zeros(FRAME, np.float32) for n in range(60, 65)}
    timed = Latencies(model)
    with timed.talk as talk:
        timed.say(12_000)
        assert set(timed.of(1, 2.4)) == {160}
        lag = set(timed.of(3.2, 4.4))
        assert min(lag) > 160
        assert set(timed.of(6, 11)) == {160}
        assert talk.events(FramesLate) == []


def test_a_lag_is_taken_back_in_speech_too_if_the_model_never_pauses_and_nobody_hears_a_click() -> None:
    model = FakeDuplexModel()
    model.compute_s = {30: 0.2}
    timed = Latencies(model)
    with timed.talk as talk:
        timed.say(12_000)
        assert set(timed.of(6, 11)) == {160}
        audio = talk.sink.audio()
        after_the_gap = audio[5 * RATE_HZ // 2 + RATE_HZ // 2 :]
        assert np.abs(np.diff(after_the_gap)).max() < 0.02


def test_ten_minutes_without_drift_or_growth() -> None:
    model = FakeDuplexModel()
    timed = Latencies(model)
    with timed.talk as talk:
        sizes = []
        for _ in range(10):
            timed.say(60_000)
            reply = talk.session.playout._reply
            assert reply is not None
            sizes.append(
                (len(reply.ledger._spans), len(reply.reel._audio) // RATE_HZ, len(reply.waiting))
            )
            assert len(talk.session.audio) == 0
        assert set(sizes[1:]) == {sizes[1]}, "no growth"
        assert set(timed.of(1, 600)) == {160}
        sent_ms = 1000 * len(talk.sink.audio()) // RATE_HZ
        assert sent_ms in (600_000 - 100, 600_000 - 120)
        talk.session.interrupt("stop")
        heard = talk.events(TurnDone)[0].heard.split()
        assert heard == [str(number) for number in range(0, 7500, 10)][: len(heard)]
        assert len(heard) >= 749
        started = time.monotonic()
        talk.session.close("the test is over")
        assert talk.session.join(PATIENCE_S) == []
        assert time.monotonic() - started < HANG_S
