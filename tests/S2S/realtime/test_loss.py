"""`--s2s realtime`: connections that break, stall, and are opened again."""

import threading
from pathlib import Path
from typing import Any

import pytest

from engines.engines import Live
from pipeline.events import AudioLost, ErrorEvent, ModelAway, ReplyStarted, TurnCommitted, TurnDone
from pipeline.messages import ToolCall
from pipeline.settings import SessionSettings
from S2S.realtime import link
from testing.realtime_server import ScriptedRealtimeServer
from tests.S2S.realtime.talk import Talk, answer, engines_at
from tests.socket_clients import wait_for


class TestLoss:
    @pytest.fixture(params=["drop", "hang_up"])
    def lose(self, request: pytest.FixtureRequest) -> Any:
        return lambda there: getattr(there, request.param)()

    def test_a_turn_that_is_being_answered_fails_and_the_next_succeeds(
        self, server: ScriptedRealtimeServer, talk: Talk, lose: Any
    ) -> None:
        there = server.accept()
        there.hear("item_1", "What is it?")
        there.begin("resp_1")
        there.say("resp_1", 100, "It is ")
        talk.until(ReplyStarted)
        lose(there)
        error = talk.until(ErrorEvent)
        assert (error.code, error.turn) == ("connection_lost", 1)
        assert talk.until(TurnDone).reason == "s2s failed"
        there = server.accept()
        items = [there.until("conversation.item.create")["item"] for _ in range(2)]
        texts = [(item["role"], item["content"][0]["text"]) for item in items]
        assert texts == [("user", "What is it?"), ("assistant", "It is…")], "the last is still heard"
        there.hear("item_1", "Go on.")
        answer(there, "resp_1")
        done = talk.until(TurnDone)
        assert (done.user_text, done.heard) == ("Go on.", "Text of resp_1.")
        assert len(talk.of(ErrorEvent)) == 1
        assert talk.of(ModelAway) == [ModelAway(True), ModelAway(False)]

    def test_the_conversation_is_given_back_as_it_was_heard(
        self, server: ScriptedRealtimeServer, talk: Talk
    ) -> None:
        there = server.accept()
        talk.session.respond("Tell me.")
        there.until("response.create")
        there.begin("resp_1", 1)
        for number in range(20):
            there.say("resp_1", 400, f"Sentence {number}. ")
        talk.until(ReplyStarted)
        talk.session.interrupt("client_cancelled")
        heard = talk.until(TurnDone).heard
        talk.chat.called(1, ToolCall("call_1", "weather", "{}"))
        there.drop()
        there = server.accept()
        items = [there.until("conversation.item.create")["item"] for _ in range(2 + bool(heard))]
        assert items[0]["content"][0]["text"] == "Tell me."
        assert items[-1]["type"] == "function_call"
        assert talk.until(ErrorEvent).turn is None, "no turn was waiting"

    def test_words_from_before_are_deleted_by_the_id_with_which_they_were_given_back(
        self, server: ScriptedRealtimeServer, talk: Talk
    ) -> None:
        there = server.accept()
        there.hear("item_1", "What is it?")
        answer(there, "resp_1")
        talk.until(TurnDone)
        there.drop()
        there = server.accept()
        given = [there.until("conversation.item.create")["item"]["id"] for _ in range(2)]
        for id in given:
            talk.chat.erase(id)
        assert [there.until("conversation.item.delete")["item_id"] for _ in range(2)] == given

    def test_a_turn_that_waits_for_its_words_fails(self, server: ScriptedRealtimeServer) -> None:
        with Talk(server.url, settings=SessionSettings(answers=False)) as talk:
            there = server.accept()
            there.hear("item_1", None)
            talk.until(TurnCommitted)
            there.drop()
            error = talk.until(ErrorEvent)
            assert (error.code, error.turn) == ("connection_lost", 1)
            assert talk.until(TurnDone).reason == "s2s failed"
            there = server.accept()
            there.hear("item_1", "And now?")
            assert talk.until(TurnDone).user_text == "And now?"
            assert len(talk.of(ErrorEvent)) == 1

    def test_audio_spoken_meanwhile_is_dropped_with_one_notice(
        self, server: ScriptedRealtimeServer, talk: Talk
    ) -> None:
        there = server.accept()
        server.status = 503
        there.drop()
        assert talk.until(ErrorEvent).code == "connection_lost"
        talk.say(500)
        turn = talk.session.respond("Are you there?")
        error = talk.until(ErrorEvent)
        assert (error.code, error.turn) == ("unreachable", turn.number)
        server.status = None
        there = server.accept()
        lost = talk.until(AudioLost)
        assert lost.samples == 12000
        answer(there, "resp_1")
        assert talk.until(TurnDone, lambda done: done.turn != turn.number).heard == "Text of resp_1."
        assert len(talk.of(AudioLost)) == 1
        assert len(talk.of(ErrorEvent)) == 2

    def test_a_reply_that_came_whole_is_heard_to_its_end(
        self, server: ScriptedRealtimeServer, talk: Talk
    ) -> None:
        there = server.accept()
        answer(there, "resp_1", ms=600)
        talk.until(ReplyStarted)
        there.drop()
        assert talk.until(ErrorEvent).turn is None
        done = talk.until(TurnDone)
        assert (done.state, done.heard) == ("done", "Text of resp_1.")

    def test_an_answer_that_is_remembered_after_its_turn_has_ended_is_given_back(
        self, server: ScriptedRealtimeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engines = engines_at(server.url)
        assert isinstance(engines.voice, Live)
        model = engines.voice.s2s.engine
        with Talk("", engines=engines) as talk:
            remember = talk.chat.heard

            def remember_late(turn: int, text: str, cut_short: bool) -> None:
                is_told = threading.Event()
                model.post(is_told.set)  # behind the end of the turn
                assert is_told.wait(10)
                remember(turn, text, cut_short)

            monkeypatch.setattr(talk.chat, "heard", remember_late)
            there = server.accept()
            answer(there, "resp_1", ms=600)
            talk.until(ReplyStarted)
            there.drop()
            item = server.accept().until("conversation.item.create")["item"]
            assert item["content"][0]["text"] == "Text of resp_1."
            talk.until(TurnDone)
        engines.close()

    def test_other_sessions_do_not_notice(self, server: ScriptedRealtimeServer) -> None:
        engines = engines_at(server.url)
        with Talk("", engines=engines) as one:
            of_one = server.accept()
            with Talk("", engines=engines) as other:
                of_other = server.accept()
                of_other.drop()
                assert other.until(ErrorEvent).code == "connection_lost"
                answer(of_one, "resp_1")
                assert one.until(TurnDone).heard == "Text of resp_1."
                assert one.of(ErrorEvent) == []
        engines.close()

    def test_a_server_that_reads_nothing(self, server: ScriptedRealtimeServer, talk: Talk) -> None:
        there = server.accept()
        there.stall()
        for _ in range(200):
            talk.say(400)
            talk.session.activity.wait_idle()
        there.go_on()

        def is_told() -> bool:
            talk.say(20)
            return bool(talk.of(AudioLost))

        wait_for(is_told, "a notice of lost audio")
        assert talk.of(AudioLost)[0].reason == "the server did not accept it in time"
        answer(there, "resp_1")
        assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_a_session_that_begins_while_the_server_is_away(
        self, server: ScriptedRealtimeServer
    ) -> None:
        engines = engines_at(server.url)
        server.status = 503
        with Talk("", engines=engines) as talk:
            wait_for(lambda: len(server.requests) > 2, "a failed attempt to connect")
            talk.say(20)
            assert talk.until(ErrorEvent).code == "busy"
            server.status = None
            there = server.accept()
            answer(there, "resp_1")
            assert talk.until(TurnDone).heard == "Text of resp_1."
        engines.close()

    def test_a_server_that_hangs_up_after_each_greeting_is_called_ever_less_often(
        self, server: ScriptedRealtimeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        monkeypatch.setattr(link, "_pause", pause)
        with Talk(server.url) as talk:
            for _ in range(10):
                server.accept().hang_up()
            there = server.accept()
            assert pauses[0] == 0
            for number, seconds in enumerate(pauses[1:]):
                expected_s = min(link.FIRST_PAUSE_S * 2**number, link.LONGEST_PAUSE_S)
                assert expected_s <= seconds <= 1.34 * expected_s
            assert [error.code for error in talk.of(ErrorEvent)] == ["connection_lost"]
            answer(there, "resp_1")
            assert talk.until(TurnDone).heard == "Text of resp_1."
            there.hang_up()
            talk.until(ErrorEvent)
            server.accept()
            assert pauses[10:] == [0], "a connection that served well is opened again at once"
            assert len(talk.of(ErrorEvent)) == 2

    def test_a_connection_that_lasted_is_opened_again_at_once(
        self, server: ScriptedRealtimeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        monkeypatch.setattr(link, "_pause", pause)
        monkeypatch.setattr(link, "PROVEN_S", 0.0)
        with Talk(server.url) as talk:
            for _ in range(3):
                server.accept().hang_up()
                talk.until(ErrorEvent)
            server.accept()
        assert pauses == [0, 0, 0]

    def test_keys_stay_out_of_errors(self, server: ScriptedRealtimeServer, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text("sk-verysecret")
        with Talk(server.url, api_key_file=str(file)) as talk:
            there = server.accept()
            error = {"code": "bad", "message": "The key sk-verysecret is wrong."}
            there.send("error", error=error)
            assert "verysecret" not in talk.until(ErrorEvent).text
