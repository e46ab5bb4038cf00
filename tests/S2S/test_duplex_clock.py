"""The clock of a full-duplex conversation: every answer is heard at the same delay after its frame."""

import random

import numpy as np
import pytest

from pipeline.clock import SampleClock
from pipeline.events import (
    AudioLost,
    ErrorEvent,
    FramesLate,
    TurnDone,
)
from pipeline.messages import Samples
from pipeline.sink import Frame
from testing.conversation import PATIENCE_S
from testing.duplex import FRAME, FRAME_MS, RATE_HZ, DuplexConversation, FakeDuplexModel
from testing.sinks import RecordingSink


class TimedSink(RecordingSink):
    """Also keeps the time at which each frame will be heard."""

    def __init__(self, clock: SampleClock) -> None:
        super().__init__(clock.now, full_duplex=True)
        self.times: list[float] = []

    def play(self, frame: Frame) -> None:
        super().play(frame)
        self.times.append(self.heard_all_at(0) - self.frame_samples / self.rate_hz)


def speech_of(number: int) -> Samples:
    """Block `number` of 20 ms: its level encodes the time at which it was said; levels repeat after 80
    s."""
    return np.full(RATE_HZ // 50, 0.1 + number % 4000 / 5000, np.float32)


def said_at(level: float) -> float:
    return 0.02 * round((level - 0.1) * 5000)


class Latencies:
    """A conversation that measures, for every frame heard, the time at which its audio was said."""

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
        """Latency in ms of the frames heard between these times, measured at the middle of each frame,
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
        talk.session.close("the test is over")
        assert talk.session.join(PATIENCE_S) == []


def test_a_model_that_just_keeps_up_is_heard_at_a_constant_time_too() -> None:
    model = FakeDuplexModel()
    model.compute_s = dict.fromkeys(range(1000), 0.079)
    timed = Latencies(model)
    with timed.talk as talk:
        timed.say(20_000)
        assert len(set(timed.of(1, 19))) == 1
        assert talk.events(FramesLate) == []


def test_a_model_that_is_always_too_slow_is_reported_every_few_seconds() -> None:
    model = FakeDuplexModel()
    model.compute_s = dict.fromkeys(range(1000), 0.16)
    timed = Latencies(model)
    with timed.talk as talk:
        timed.say(20_000)
        late = talk.events(FramesLate)
        assert 2 <= len(late) <= 4
        assert talk.events(AudioLost)
