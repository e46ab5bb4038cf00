"""`--s2s realtime`: responses that are late, belong to an old question, or never come."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest

from pipeline.events import ErrorEvent, ReplyStarted, ReplyText, SpeechStarted, TurnCommitted, TurnDone
from S2S.realtime import deadline, handler
from testing.realtime_server import ScriptedConnection, ScriptedRealtimeServer
from tests.S2S.realtime.talk import Talk, answer

SOON_S = 0.05
LATE_S = 60.0


class TestOldAnswers:
    """A server that does not repeat the metadata of a request: the order tells whose a response is."""

    def test_the_response_of_speech_is_not_that_of_a_text_typed_meanwhile(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1", "What time is it?")
        talk.until(TurnCommitted)
        typed = talk.session.respond("What day is it?")
        there.until("response.create")
        there.begin("resp_1")
        assert there.until("response.cancel")["response_id"] == "resp_1"
        there.say("resp_1", 60, "Old.")
        there.end("resp_1", "cancelled")
        answer(there, "resp_2")
        assert talk.until(TurnDone, lambda done: done.turn == typed.number).heard == "Text of resp_2."
        assert [(event.turn, event.text) for event in talk.of(ReplyText)] == [(2, "Text of resp_2.")]

    @pytest.mark.parametrize("repeats", [True, False])
    def test_the_response_of_a_text_is_not_that_of_the_next(
        self, there: ScriptedConnection, talk: Talk, repeats: bool
    ) -> None:
        old = talk.session.respond("What time is it?")
        there.until("response.create")
        new = talk.session.respond("What day is it?")
        there.until("conversation.item.create")
        there.begin("resp_1", old.number if repeats else None)
        assert there.until("response.cancel")["response_id"] == "resp_1"
        there.say("resp_1", 60, "Old.")
        there.end("resp_1", "cancelled")
        there.until("response.create")
        answer(there, "resp_2", new.number if repeats else None)
        assert talk.until(TurnDone, lambda done: done.turn == new.number).heard == "Text of resp_2."
        assert [(event.turn, event.text) for event in talk.of(ReplyText)] == [(2, "Text of resp_2.")]

    def test_a_text_in_line_is_not_answered_by_a_response_of_the_server_s_own(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.begin("resp_1")
        there.say("resp_1", 60, "One.")
        talk.until(ReplyStarted)
        typed = talk.session.respond("What day is it?")
        there.until("response.cancel")
        there.begin("resp_2")
        there.say("resp_2", 60, "Two.")
        there.end("resp_2")
        there.end("resp_1", "cancelled")
        there.until("response.create")
        answer(there, "resp_3")
        assert talk.until(TurnDone, lambda done: done.turn == typed.number).heard == "Text of resp_3."

    def test_speech_that_was_taken_back_claims_nothing(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1", "Hm.")
        there.send("conversation.item.deleted", item_id="item_1")
        talk.until(TurnDone)
        typed = talk.session.respond("What day is it?")
        there.until("response.create")
        answer(there, "resp_1")
        assert talk.until(TurnDone, lambda done: done.turn == typed.number).heard == "Text of resp_1."

    def test_forty_texts_that_overtake_each_other(self, there: ScriptedConnection, talk: Talk) -> None:
        talk.session.respond("Question 0.")
        for number in range(40):
            there.until("response.create")
            last = talk.session.respond(f"Question {number + 1}.")
            there.until("conversation.item.create")
            answer(there, f"resp_{number}")
        there.until("response.create")
        answer(there, "resp_last")
        assert talk.until(TurnDone, lambda done: done.turn == last.number).heard == "Text of resp_last."
        answer(there, "resp_own")
        assert talk.until(TurnDone, lambda done: done.turn > last.number).heard == "Text of resp_own."


class TestNamedAnswers:
    """A server that repeats the metadata of a request: a question waits for no response that is not
    wanted any more."""

    @pytest.fixture
    def named(self, there: ScriptedConnection, talk: Talk) -> ScriptedConnection:
        """The server, once it has answered a request by its number."""
        turn = talk.session.respond("Hello.")
        there.until("response.create")
        answer(there, "resp_0", turn.number)
        talk.until(TurnDone)
        return there

    def test_a_question_does_not_wait_for_the_response_of_an_older_one(
        self, named: ScriptedConnection, talk: Talk
    ) -> None:
        old = talk.session.respond("What time is it?")
        named.until("response.create")
        new = talk.session.respond("What day is it?")
        asked = named.until("response.create")["response"]["metadata"]
        assert asked == {"turn": str(new.number)}
        answer(named, "resp_own")
        assert talk.until(TurnDone, lambda done: done.turn > new.number).heard == "Text of resp_own."
        named.begin("resp_1", old.number)
        assert named.until("response.cancel")["response_id"] == "resp_1"
        named.say("resp_1", 60, "Old.")
        answer(named, "resp_2", new.number)
        assert talk.until(TurnDone, lambda done: done.turn == new.number).heard == "Text of resp_2."
        assert "Old." not in [text.text for text in talk.of(ReplyText)]

    def test_a_question_does_not_wait_for_the_end_of_a_stopped_response(
        self, named: ScriptedConnection, talk: Talk
    ) -> None:
        old = talk.session.respond("What time is it?")
        named.until("response.create")
        named.begin("resp_1", old.number)
        named.say("resp_1", 5000, "Old.")
        talk.until(ReplyStarted, lambda begun: begun.turn == old.number)
        new = talk.session.respond("What day is it?")
        assert named.until("response.cancel")["response_id"] == "resp_1"
        named.until("response.create")
        named.say("resp_1", 60, "More of it.")
        answer(named, "resp_2", new.number)
        assert talk.until(TurnDone, lambda done: done.turn == new.number).heard == "Text of resp_2."
        assert "More of it." not in [text.text for text in talk.of(ReplyText)]

    def test_a_server_that_is_still_busy_is_asked_again_when_it_is_not(
        self, named: ScriptedConnection, talk: Talk
    ) -> None:
        old = talk.session.respond("What time is it?")
        named.until("response.create")
        new = talk.session.respond("What day is it?")
        refused = named.until("response.create")["event_id"]
        named.begin("resp_1", old.number)
        error = {"event_id": refused, "code": "conversation_already_has_active_response"}
        named.send("error", error={**error, "message": "There is one."})
        named.until("response.cancel")
        named.end("resp_1", "cancelled")
        assert named.until("response.create")["event_id"] == refused
        answer(named, "resp_2", new.number)
        assert talk.until(TurnDone, lambda done: done.turn == new.number).heard == "Text of resp_2."
        assert talk.of(ErrorEvent) == []
        assert [event["event_id"] for event in named.so_far()].count(refused) == 2


class TestSilence:
    """A server that falls silent, though the connection stands."""

    def test_the_rest_of_a_response_does_not_come(
        self, server: ScriptedRealtimeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadline, "STALL_S", SOON_S)
        with Talk(server.url, full_duplex=False) as talk:
            there = server.accept()
            there.begin("resp_1")
            there.say("resp_1", 100, "Some of it.")
            error = talk.until(ErrorEvent)
            assert (error.code, error.turn) == ("timeout", 1)
            assert there.until("response.cancel")["response_id"] == "resp_1"
            assert talk.until(TurnDone).reason == "s2s failed"
            assert talk.session.should_listen.wait(LATE_S), "half duplex: the user is heard again"
            monkeypatch.setattr(deadline, "STALL_S", LATE_S)
            there.say("resp_1", 100, "The rest.")
            there.end("resp_1")
            there.hear("item_1")
            answer(there, "resp_2")
            assert talk.until(TurnDone).heard == "Text of resp_2."

    def test_a_request_is_not_answered(
        self, there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadline, "STALL_S", SOON_S)
        turn = talk.session.respond("Are you there?")
        there.until("response.create")
        error = talk.until(ErrorEvent)
        assert (error.code, error.turn) == ("timeout", turn.number)
        assert talk.until(TurnDone).reason == "s2s failed"
        monkeypatch.setattr(deadline, "STALL_S", LATE_S)
        there.begin("resp_1", turn.number)
        assert there.until("response.cancel")["response_id"] == "resp_1", "it is too late"
        turn = talk.session.respond("And now?")
        there.until("response.create")
        answer(there, "resp_2", turn.number)
        assert talk.until(TurnDone).heard == "Text of resp_2."

    def test_texts_behind_a_request_that_is_not_answered_are_sent(
        self, there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadline, "STALL_S", SOON_S)
        talk.session.respond("Are you there?")
        there.until("response.create")
        monkeypatch.setattr(deadline, "STALL_S", LATE_S)
        turn = talk.session.respond("Hello?")
        there.until("response.create")
        answer(there, "resp_1", turn.number)
        assert talk.until(TurnDone, lambda done: done.turn == turn.number).heard == "Text of resp_1."

    def test_a_stopped_response_that_never_ends_holds_up_no_text(
        self, there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadline, "STOPPED_S", SOON_S)
        there.hear("item_1", "Hm.")
        there.begin("resp_1")
        there.say("resp_1", 5000, "A long text.")
        talk.until(ReplyStarted)
        turn = talk.session.respond("Stop. Hello?")
        there.until("response.create")
        answer(there, "resp_2", turn.number)
        assert talk.until(TurnDone, lambda done: done.turn == turn.number).heard == "Text of resp_2."

    def test_speech_is_not_answered(
        self, there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadline, "STALL_S", SOON_S)
        there.hear("item_1", "Hm.")
        error = talk.until(ErrorEvent)
        assert (error.code, error.turn) == ("timeout", 1)
        assert talk.until(TurnDone).reason == "s2s failed"
        monkeypatch.setattr(deadline, "STALL_S", LATE_S)
        answer(there, "resp_1")
        done = talk.until(TurnDone)
        assert (done.turn, done.heard) == (2, "Text of resp_1."), "the server speaks of its own accord"


def test_a_deadline_is_put_off_by_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "STALL_S", 10.0)

    async def renew() -> tuple[list[float], list[float]]:
        loop, clock = asyncio.get_running_loop(), [0.0]
        waits: list[float] = []
        looks: list[Callable[[], None]] = []
        stalls: list[float] = []

        def call_later(after_s: float, look: Callable[[], None]) -> None:
            waits.append(after_s)
            looks.append(look)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: clock[0])
            patch.setattr(loop, "call_later", call_later)
            patience = deadline.Deadline(lambda: stalls.append(clock[0]))
            clock[0] = 6.0
            patience.renew()
            for clock[0] in (10.0, 16.0):
                looks[-1]()
        return waits, stalls

    assert asyncio.run(renew()) == ([10.0, 6.0], [16.0])


def test_a_response_that_begins_twice_is_two(there: ScriptedConnection, talk: Talk) -> None:
    there.begin("resp_1")
    there.say("resp_1", 60, "One.")
    answer(there, "resp_1")
    assert [talk.until(TurnDone).heard for _ in range(2)] == ["One.", "Text of resp_1."]


def test_a_recording_that_is_closed_waits_for_nothing(
    there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "SILENCE_S", 0.0)
    is_waiting = threading.Event()
    there.send("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=0)
    talk.until(SpeechStarted)
    closing = talk.session.closing

    @contextlib.contextmanager
    def on_cancel(callback: Callable[[], None]) -> Iterator[None]:
        with type(closing).on_cancel(closing, callback):
            is_waiting.set()
            yield

    monkeypatch.setattr(closing, "on_cancel", on_cancel)
    talk.session.finish()
    assert is_waiting.wait(LATE_S)
    talk.session.close("the user has left")
    assert talk.session.join(LATE_S) == []
