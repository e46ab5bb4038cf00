"""The full-duplex stage's table in docs/architecture.md, on a clock that the test advances."""

import numpy as np
import pytest

from engines.engines import Duplex
from pipeline.errors import EngineBusy, EngineError
from pipeline.events import (
    ErrorEvent,
    InputLevel,
    Interrupted,
    ListeningChanged,
    NoticeGiven,
    ReplyStarted,
    ReplyText,
    TurnCommitted,
    TurnDone,
)
from pipeline.settings import SessionSettings
from S2S.duplex_handler import TAIL_QUIET_S, TAIL_S
from s2s_pipeline import build_pipeline
from testing.conversation import PATIENCE_S
from testing.duplex import FRAME, FRAME_MS, RATE_HZ, DuplexConversation, FakeDuplexModel
from testing.hold import Hold
from testing.sinks import RecordingSink
from tests.socket_clients import wait_for


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
        assert len(model.opened) == 1, "the pause of a second is not over"
        assert [(end.turn, end.reason) for end in talk.events(TurnDone)] == [(1, "s2s failed")]
        talk.say(1000, 0.5)
        assert (len(model.opened), model.closed) == (2, 1)
        assert talk.sink.turns() == [1, 2]


def test_a_model_that_always_fails_does_not_flood_the_client() -> None:
    model = FakeDuplexModel()
    model.fails_at = set(range(1000))
    with DuplexConversation(model) as talk:
        talk.say(60_000, 0.5)
        assert len(talk.events(ErrorEvent)) == 6, "after 0, 1, 3, 7, 15 and 31 s"
        assert (len(model.opened), model.closed) == (6, 5), "the next frame closes it"
        assert len(talk.events(TurnDone)) == 6


def test_a_session_keeps_its_place_while_its_model_is_paused() -> None:
    model = FakeDuplexModel()
    model.fails_at = {10}
    with DuplexConversation(model) as talk:
        talk.say(880, 0.5)
        assert [error.text for error in talk.events(ErrorEvent)] == ["it stumbled"]
        assert talk.engines.places.free == 0
        with pytest.raises(EngineBusy, match="the server is full"):
            build_pipeline(talk.engines, RecordingSink(talk.clock.now), clock=talk.clock)
        model.fails_at = set()
        talk.say(10_000, 0.5)
        assert len(talk.events(ErrorEvent)) == 1
        assert talk.sink.turns() == [1, 2]
        assert (len(model.opened), model.closed) == (2, 1)


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


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_state_that_no_longer_makes_numbers_is_replaced(wrong: float) -> None:
    model = FakeDuplexModel()
    model.says = {number: np.full(FRAME, wrong, np.float32) for number in range(5, 10_000)}
    with DuplexConversation(model) as talk:
        talk.say(2 * FRAME_MS * 5, 0.5)
        assert [(error.stage, error.code) for error in talk.events(ErrorEvent)] == [("s2s", "bad_audio")]
        model.says = {}
        talk.say(3000, 0.5)
        assert (len(model.opened), len(talk.events(ErrorEvent))) == (2, 1)
        assert talk.sink.turns() == [1, 2]
        assert set(talk.sink.audio(2)) == {np.float32(0.5)}


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


@pytest.mark.parametrize("slots", [1, 2])
def test_a_frame_that_hangs_is_given_up_and_the_session_waits_for_its_return(
    monkeypatch: pytest.MonkeyPatch, slots: int
) -> None:
    with DuplexConversation(FakeDuplexModel(slots=slots)) as talk:
        talk.say(11_000, 0.5)
        talk.model.hold.close()
        with monkeypatch.context() as patch:
            patch.setattr("S2S.duplex_handler.HANG_S", 0.1)
            talk.say(FRAME_MS, 0.5)
        (error,) = talk.events(ErrorEvent)
        assert (error.code, error.text) == ("timeout", "fake-duplex did not respond for 0.1 s")
        talk.say(7500, 0.5)
        codes = [late.code for late in talk.events(ErrorEvent)]
        assert codes == ["timeout", "busy", "busy", "busy"], "after 0, 1, 3 and 7 s"
        assert (len(talk.model.opened), talk.model.closed) == (1, 0)
        assert talk.engines.places.free == slots - 1
        hangs, talk.model.hold = talk.model.hold, Hold()
        hangs.open()
        voice = talk.engines.voice
        assert isinstance(voice, Duplex)
        wait_for(lambda: voice.s2s.stuck == 0, "the return of the frame")
        talk.say(10_000, 0.5)
        assert (len(talk.model.opened), talk.model.closed) == (2, 1)
        assert len(talk.events(ErrorEvent)) == len(codes)
        assert talk.engines.places.free == slots - 1


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
