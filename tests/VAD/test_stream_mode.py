"""The reply mode `stream`: answers come while the user is still speaking."""

import numpy as np
import pytest

from engines.engines import Engines, Responder
from pipeline.audio import Framer
from pipeline.clock import SampleClock
from pipeline.events import ErrorEvent, Interrupted, SpeechEnded
from pipeline.session import TURNS_IN_LINE, Session
from pipeline.settings import EndpointerSettings, SessionSettings
from pipeline.shared_engine import SharedEngine
from S2S.tone import FRAME_TONE_S, ToneResponder
from s2s_pipeline import build_pipeline
from testing.conversation import Conversation, hear
from testing.fakes import RATE_HZ, LoudnessDetector, ScriptedModel, ScriptedRecognizer
from testing.sinks import RecordingSink
from VAD.modes import MAX_PHRASE_S

STREAM = SessionSettings(reply_mode="stream")
WINDOW = 512


def conversation(**options: object) -> Conversation:
    return Conversation(
        settings=STREAM,
        full_duplex=True,
        endpointing=EndpointerSettings(),
        **options,  # type: ignore[arg-type]
    )


def test_each_phrase_is_answered_while_the_user_speaks_on() -> None:
    with conversation(stt=ScriptedRecognizer("one", "two", "three"), llm=ScriptedModel("Yes.")) as talk:
        for _ in range(3):
            talk.speak(960)
            talk.wait(192)
        assert talk.sink.turns()[:2] == [1, 2], "before the user has finished"
        talk.until_done(3)
        assert talk.sink.turns() == [1, 2, 3]
        assert [talk.done(turn)[0].user_text for turn in (1, 2, 3)] == ["one", "two", "three"]
        assert not talk.events(Interrupted)


def test_speech_does_not_interrupt_or_quieten_what_is_being_said() -> None:
    reply = "A long answer to a short phrase, long enough to be spoken over."
    with conversation(llm=ScriptedModel(reply)) as talk:
        talk.speak(320)
        talk.wait(192)
        talk.until(lambda: bool(talk.sink.frames))
        talk.speak(1500)
        talk.wait(192)
        assert talk.until_done(1).heard == reply
        assert talk.until_done(2).heard == reply
        loudness = {float(frame.samples.max()) for frame in talk.sink.frames if frame.turn == 1}
        assert sorted(loudness) == pytest.approx([0.01, 0.02]), "one for each of the two clauses"


def test_who_never_pauses_is_answered_all_the_same() -> None:
    with conversation() as talk:
        talk.speak(int(1000 * MAX_PHRASE_S) + 500)
        assert talk.sink.turns() == [1]
        assert len(talk.stt.heard[0]) / RATE_HZ == pytest.approx(MAX_PHRASE_S, abs=0.1)


def test_the_line_is_bounded_and_says_so() -> None:
    """Answers that take longer than the phrases pile up; only the newest is dropped."""
    reply = "An answer of some three hundred milliseconds."
    with conversation(llm=ScriptedModel(reply * 60)) as talk:
        for _ in range(TURNS_IN_LINE + 2):
            talk.speak(256)
            talk.wait(192)
        errors = talk.events(ErrorEvent)
        assert [error.code for error in errors] == ["busy", "busy"]
        assert talk.sink.turns() == [1]
        assert len(talk.stt.heard) == TURNS_IN_LINE


def test_the_mode_may_change_between_turns() -> None:
    with conversation() as talk:
        talk.session.change_settings(SessionSettings())
        talk.speak(640)
        talk.wait(192)
        assert not talk.sink.frames
        talk.wait(400)
        assert talk.sink.turns()


# -- engines that answer frame by frame ------------------------------------------------------------


class Singing:
    """The tone in `stream` mode, on a clock that the test advances."""

    def __init__(self, settings: SessionSettings = STREAM, *, full_duplex: bool = True) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.sink = RecordingSink(self.clock.now, full_duplex=full_duplex)
        engines = Engines(
            LoudnessDetector(), EndpointerSettings(), Responder(SharedEngine(ToneResponder()))
        )
        self.session: Session = build_pipeline(engines, self.sink, settings=settings, clock=self.clock)
        self.clock.on_advance(self.session.playout.wake)
        self.mail = self.session.events.subscribe()

    def hear(self, level: float, ms: int) -> None:
        whole_ms = ms - ms % 32
        hear(self.session, self.clock, np.full(WINDOW, level, np.float32), whole_ms)

    def close(self) -> None:
        self.session.close()
        assert self.session.join(60) == []


def test_a_tone_sounds_while_the_user_speaks_and_half_a_second_longer() -> None:
    singing = Singing()
    singing.hear(0.5, 640)
    assert singing.sink.frames, "before the user has finished"
    singing.hear(0.5, 1280)
    singing.hear(0.0, 1500)
    audio = np.concatenate([frame.samples for frame in singing.sink.frames])
    voiced_s = (1920 + 160) / 1000  # until the short pause that ends it
    assert len(np.trim_zeros(audio)) / RATE_HZ == pytest.approx(voiced_s + FRAME_TONE_S - 0.07, abs=0.1)
    events = list(iter(lambda: singing.mail.fetch(0), None))
    assert sum(isinstance(event, SpeechEnded) for event in events) == 1
    assert singing.sink.turns() == [1]
    singing.close()


def test_the_tone_has_no_click_in_it() -> None:
    """Neighbouring samples of a sine of 640 Hz and amplitude 0.3 differ by 0.075 at most."""
    singing = Singing()
    singing.hear(0.2, 640)
    singing.hear(1.0, 640)
    singing.hear(0.0, 1500)
    audio = np.concatenate([frame.samples for frame in singing.sink.frames])
    assert np.abs(np.diff(np.trim_zeros(audio))).max() < 0.08
    singing.close()


def test_in_half_duplex_the_tone_waits_for_the_end_of_the_phrase() -> None:
    """An earlier tone would close the microphone, and the end would never be heard."""
    singing = Singing(full_duplex=False)
    singing.hear(0.5, 960)
    assert not singing.sink.frames
    singing.hear(0.0, 2500)
    assert singing.sink.turns() == [1]
    assert singing.session.should_listen.is_set()
    singing.close()


def test_who_takes_back_what_they_say_is_not_sung_to() -> None:
    singing = Singing()
    singing.hear(0.5, 640)
    singing.session.cancel_speech()
    singing.hear(0.0, 320)
    frames = len(singing.sink.frames)
    singing.hear(0.0, 2000)
    assert len(singing.sink.frames) == frames
    singing.close()


def test_in_turn_mode_the_tone_waits_for_the_end() -> None:
    singing = Singing(SessionSettings())
    singing.hear(0.5, 960)
    assert not singing.sink.frames
    singing.hear(0.0, 2500)
    audio = np.concatenate([frame.samples for frame in singing.sink.frames])
    assert len(np.trim_zeros(audio)) / RATE_HZ == pytest.approx(1.5, abs=0.05)
    singing.close()


def test_frames_overlap() -> None:
    framer = Framer(8, overlap=2)
    frames = [frame.tolist() for frame in framer.feed(np.arange(20, dtype=np.float32))]
    assert frames == [list(range(8)), list(range(6, 14)), list(range(12, 20))]
    assert [frame.tolist() for frame in framer.feed(np.arange(20, 26, dtype=np.float32))] == [
        list(range(18, 26))
    ]
