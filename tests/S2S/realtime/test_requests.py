"""`--s2s realtime`: the events that a session sends to a scripted server."""

import base64
import itertools
from typing import Any

import numpy as np
import pytest

import pipeline.session
from pipeline.audio import from_pcm16
from pipeline.events import (
    ErrorEvent,
    ReplyStarted,
    ReplyText,
    ToolCalled,
    ToolCallGrew,
    TurnDone,
)
from pipeline.messages import ChatMessage
from pipeline.settings import SessionSettings
from S2S.realtime import deadline
from S2S.realtime.configuration import Configuration
from testing.realtime_server import ScriptedConnection, ScriptedRealtimeServer
from tests.S2S.realtime.talk import RATE_HZ, WEATHER, Talk, answer


class TestTextsAndTools:
    def test_typed_text(self, there: ScriptedConnection, talk: Talk) -> None:
        turn = talk.session.respond("What is it?")
        item = there.until("conversation.item.create")["item"]
        assert item["content"] == [{"type": "input_text", "text": "What is it?"}]
        request = there.until("response.create")
        assert request["response"] == {"metadata": {"turn": str(turn.number)}}
        answer(there, "resp_1", turn.number)
        assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_a_mistake_of_ours_ends_one_turn(
        self, there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(Configuration, "of", lambda *_, **__: 1 / 0)
            talk.session.respond("What is it?")
            assert talk.until(ErrorEvent).code == "internal_error"
            assert talk.until(TurnDone).reason == "s2s failed"
        turn = talk.session.respond("What is it?")
        there.until("response.create")
        answer(there, "resp_1", turn.number)
        assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_an_aside_has_its_own_context_and_settings(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        context = [ChatMessage("user", "Sum it up.")]
        settings = SessionSettings(instructions="Be brief.", spoken=False)
        talk.session.respond("", context=context, settings=settings, aside=True)
        response = there.until("response.create")["response"]
        assert (response["conversation"], response["instructions"]) == ("none", "Be brief.")
        assert response["output_modalities"] == ["text"]
        assert response["input"][0]["content"][0]["text"] == "Sum it up."

    def test_a_request_waits_for_the_response_that_is_under_way(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.begin("resp_1")
        there.say("resp_1", 5000, "A long text. " * 20)
        talk.until(ReplyStarted)
        turn = talk.session.respond("Stop. What is it?")
        there.until("response.cancel")
        assert not any(event["type"] == "response.create" for event in there.so_far())
        there.end("resp_1", "cancelled", reason="client_cancelled")
        there.until("response.create")
        answer(there, "resp_2", turn.number)
        assert talk.until(TurnDone, lambda done: done.turn == turn.number).heard == "Text of resp_2."

    def test_a_request_that_comes_too_early_is_repeated(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        turn = talk.session.respond("What is it?")
        request = there.until("response.create")
        error = {"type": "invalid_request_error", "event_id": request["event_id"]}
        code = "conversation_already_has_active_response"
        there.send("error", error={**error, "code": code, "message": "There is one."})
        there.until("response.create")
        answer(there, "resp_1", turn.number)
        assert talk.until(TurnDone).heard == "Text of resp_1."
        assert talk.of(ErrorEvent) == []

    def test_a_request_that_is_refused_fails_its_turn(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        talk.session.respond("Say tangerine.")
        error = {"event_id": there.until("response.create")["event_id"], "code": "no_credit"}
        there.send("error", error={**error, "message": "No credit is left for tangerine."})
        told = talk.until(ErrorEvent)
        assert (told.code, told.turn) == ("no_credit", 1)
        assert "tangerine" not in told.text, "the user's words stay out of errors"
        assert talk.until(TurnDone).reason == "s2s failed"

    def test_a_request_that_is_refused_without_its_id(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        first = talk.session.respond("Hello.")
        there.until("response.create")
        there.send("error", error={"code": "bad", "message": "No."})
        told = talk.until(ErrorEvent)
        assert (told.code, told.turn) == ("bad", first.number)
        assert talk.until(TurnDone).reason == "s2s failed"
        second = talk.session.respond("Hello?")
        there.until("response.create")
        answer(there, "resp_1", second.number)
        assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_an_error_without_an_id_that_may_be_about_two_requests_ends_none(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        turns = [talk.session.respond("Sum it up.", aside=True) for _ in range(2)]
        for _ in turns:
            there.until("response.create")
        there.send("error", error={"code": "bad", "message": "No."})
        assert talk.until(ErrorEvent).turn is None
        for turn in turns:
            answer(there, f"resp_{turn.number}", turn.number)
            assert talk.until(TurnDone).heard == f"Text of resp_{turn.number}."

    def test_a_call_and_its_result(self, server: ScriptedRealtimeServer) -> None:
        with Talk(server.url, settings=SessionSettings(tools=(WEATHER,))) as talk:
            there = server.accept()
            assert there.received[-1]["session"]["tools"][0]["name"] == "weather"
            there.hear("item_1", "How is the weather?")
            there.begin("resp_1")
            place = {"response_id": "resp_1", "output_index": 0}
            item = {"type": "function_call", "id": "item_2", "call_id": "call_1", "name": "weather"}
            there.send("response.output_item.added", item={**item, "arguments": ""}, **place)
            for delta in ('{"city": ', '"London"}'):
                kind = "response.function_call_arguments.delta"
                there.send(kind, item_id="item_2", call_id="call_1", delta=delta, **place)
            kind, arguments = "response.function_call_arguments.done", '{"city": "London"}'
            there.send(kind, item_id="item_2", call_id="call_1", arguments=arguments, **place)
            there.end("resp_1")
            called = talk.until(ToolCalled)
            assert (called.turn, called.call, called.name) == (1, "call_1", "weather")
            talk.until(TurnDone)
            assert "".join(grew.arguments for grew in talk.of(ToolCallGrew)) == arguments
            talk.chat.note("item_result", ChatMessage("tool", "rain", answers="call_1"))
            result = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}
            item = there.until("conversation.item.create")["item"]
            assert item == {"id": "item_result", **result}
            turn = talk.session.respond("")
            there.until("response.create")
            answer(there, "resp_2", turn.number)
            assert talk.until(TurnDone).heard == "Text of resp_2."

    def test_a_call_without_valid_arguments_is_not_passed_on(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.begin("resp_1")
        item = {"type": "function_call", "id": "item_2", "call_id": "call_1", "name": "weather"}
        there.send("response.output_item.added", response_id="resp_1", item=item)
        kind = "response.function_call_arguments.done"
        there.send(kind, response_id="resp_1", item_id="item_2", arguments='{"city": ')
        there.end("resp_1")
        assert talk.until(TurnDone).reason == "invalid_call"
        assert talk.of(ToolCalled) == []

    def test_messages_are_deleted_at_the_server_by_its_own_ids(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1")
        answer(there, "resp_1")
        talk.until(TurnDone)
        for id in ("item_said_1", "item_heard_1"):
            talk.chat.erase(id)
        deleted = [there.until("conversation.item.delete")["item_id"] for _ in range(2)]
        assert deleted == ["item_1", "item_resp_1"]


class TestInterruption:
    def test_the_users_voice_stops_the_reply_which_is_cut_at_the_server(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1")
        answer(there, "resp_1", ms=5000)
        talk.until(ReplyStarted)
        there.send("input_audio_buffer.speech_started", item_id="item_2", audio_start_ms=900)
        done = talk.until(TurnDone)
        assert done.state == "interrupted"
        cut = there.until("conversation.item.truncate")
        assert cut["item_id"] == "item_resp_1"
        released_ms = 1000 * len(talk.sink.audio()) / RATE_HZ
        assert 0 <= cut["audio_end_ms"] <= released_ms < 5000
        assert not any(event["type"] == "response.cancel" for event in there.so_far())

    def test_a_stopped_response_is_cancelled_and_nothing_of_it_follows(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1")
        there.begin("resp_1")
        there.say("resp_1", 1000, "The old answer.")
        talk.until(ReplyStarted)
        talk.session.interrupt("client_cancelled")
        assert there.until("response.cancel")["response_id"] == "resp_1"
        there.say("resp_1", 1000, "More of the old answer.")
        there.end("resp_1", "cancelled", reason="client_cancelled")
        there.hear("item_2")
        answer(there, "resp_2")
        assert talk.until(TurnDone, lambda done: done.turn == 2).heard == "Text of resp_2."
        assert "More of the old answer." not in [text.text for text in talk.of(ReplyText)]

    def test_a_turn_that_ends_before_its_response_begins(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        turn = talk.session.respond("What is it?")
        there.until("response.create")
        talk.session.interrupt("client_cancelled")
        talk.until(TurnDone)
        there.begin("resp_1", turn.number)
        assert there.until("response.cancel")["response_id"] == "resp_1"
        there.say("resp_1", 100, "Unwanted.")
        there.end("resp_1", "cancelled")
        answer(there, "resp_2")
        assert talk.until(TurnDone).heard == "Text of resp_2."

    def test_races_are_no_errors(self, there: ScriptedConnection, talk: Talk) -> None:
        there.begin("resp_1")
        there.say("resp_1", 1000, "Text.")
        talk.until(ReplyStarted)
        talk.session.interrupt("client_cancelled")
        for kind in ("response.cancel", "conversation.item.truncate"):
            error = {"event_id": there.until(kind)["event_id"], "code": "nothing", "message": "no"}
            there.send("error", error=error)
        there.send("error", error={"code": "response_cancel_not_active", "message": "no"})
        there.send("error", error={"code": "real", "message": "no"})
        assert talk.until(ErrorEvent).code == "real"

    def test_items_that_were_not_reached_are_cut_to_nothing(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.begin("resp_1")
        pcm = base64.b64encode(bytes(48000)).decode()
        for item in ("item_1", "item_2"):
            fields = {"response_id": "resp_1", "item_id": item, "delta": pcm}
            there.send("response.output_audio.delta", **fields)
        there.end("resp_1")
        talk.until(ReplyStarted)
        talk.session.interrupt("client_cancelled")
        cuts = [there.until("conversation.item.truncate") for _ in range(2)]
        ends_ms = {cut["item_id"]: cut["audio_end_ms"] for cut in cuts}
        assert ends_ms["item_1"] < 1000
        assert ends_ms["item_2"] == 0


class TestByHand:
    def test_push_to_talk(self, server: ScriptedRealtimeServer) -> None:
        with Talk(server.url, settings=SessionSettings(hands_free=False)) as talk:
            there = server.accept()
            assert there.received[-1]["session"]["audio"]["input"]["turn_detection"] is None
            talk.say(200, 0.1)  # the key is not pressed
            talk.session.start_speech()
            talk.say(200, 0.5)
            talk.session.commit_speech()
            talk.say(200, 0.2)
            there.until("input_audio_buffer.commit")
            sent = [e["audio"] for e in there.received if e["type"] == "input_audio_buffer.append"]
            samples = from_pcm16(b"".join(map(base64.b64decode, sent)))
            assert len(samples) == RATE_HZ // 5
            np.testing.assert_allclose(samples, 0.5, atol=1e-3)
            there.send("input_audio_buffer.committed", item_id="item_1")
            assert there.until("response.create")["response"] == {"metadata": {"turn": "1"}}
            answer(there, "resp_1", 1)
            assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_the_answer_does_not_wait_for_a_user_who_has_finished(
        self, server: ScriptedRealtimeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline.session, "FLOOR_S", 60.0)
        with Talk(server.url, settings=SessionSettings(hands_free=False)) as talk:
            there = server.accept()
            talk.session.start_speech()
            talk.session.commit_speech()
            there.until("input_audio_buffer.commit")
            there.send("input_audio_buffer.committed", item_id="item_1")
            there.until("response.create")
            answer(there, "resp_1", 1)
            assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_a_key_pressed_in_a_conversation_by_voice(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        def detection() -> Any:
            session = there.until("session.update")["session"]
            return session["audio"]["input"]["turn_detection"]

        talk.session.start_speech()
        assert detection() is None
        talk.say(200)
        talk.session.commit_speech()
        there.until("input_audio_buffer.commit")
        there.send("input_audio_buffer.committed", item_id="item_1")
        assert detection()["type"] == "server_vad"
        there.until("response.create")

    def test_nothing_said(self, there: ScriptedConnection, talk: Talk) -> None:
        talk.session.start_speech()
        talk.session.commit_speech()
        id = there.until("input_audio_buffer.commit")["event_id"]
        error = {"code": "input_audio_buffer_commit_empty", "event_id": id, "message": "empty"}
        there.send("error", error=error)
        assert talk.until(ErrorEvent).code == "nothing_said"
        assert there.until("session.update")["session"]["audio"]["input"]["turn_detection"]

    def test_a_commit_that_is_refused_without_its_id(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        talk.session.start_speech()
        talk.session.commit_speech()
        there.until("input_audio_buffer.commit")
        there.send("error", error={"type": "invalid_request_error", "message": "buffer too small"})
        assert talk.until(ErrorEvent).code == "invalid_request_error"
        assert there.until("session.update")["session"]["audio"]["input"]["turn_detection"]

    def test_a_commit_that_is_not_confirmed(
        self, there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deadline, "STALL_S", 0.05)
        talk.session.start_speech()
        talk.session.commit_speech()
        there.until("input_audio_buffer.commit")
        assert talk.until(ErrorEvent).code == "timeout"
        assert there.until("session.update")["session"]["audio"]["input"]["turn_detection"]

    def test_cancel(self, there: ScriptedConnection, talk: Talk) -> None:
        talk.session.start_speech()
        talk.session.cancel_speech()
        there.until("input_audio_buffer.clear")
        assert there.until("session.update")["session"]["audio"]["input"]["turn_detection"]


class TestSettings:
    def test_only_changes_are_sent(self, there: ScriptedConnection, talk: Talk) -> None:
        first = there.received[-1]["session"]
        assert first["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
        assert first["audio"]["input"]["turn_detection"]["create_response"] is True
        assert "helpful" in first["instructions"]
        talk.session.change_settings(SessionSettings(voice="coral", language="te"))
        talk.say(20)
        update = there.until("session.update")["session"]
        assert update["audio"]["output"] == {"voice": "coral"}
        assert update["audio"]["input"]["transcription"]["language"] == "te"
        assert update["instructions"].endswith("Answer in Telugu.")
        assert not {"tools", "output_modalities"} & set(update)

    def test_speech_that_is_only_recognized(self, server: ScriptedRealtimeServer) -> None:
        with Talk(server.url, settings=SessionSettings(answers=False)) as talk:
            there = server.accept()
            detection = there.received[-1]["session"]["audio"]["input"]["turn_detection"]
            assert detection["create_response"] is False
            for number in itertools.count(1):
                there.hear(f"item_{number}", f"Words {number}.")
                done = talk.until(TurnDone)
                assert (done.state, done.user_text) == ("done", f"Words {number}.")
                if number == 3:
                    break
            turn = talk.session.respond("")
            there.until("response.create")
            answer(there, "resp_1", turn.number)
            assert talk.until(TurnDone).heard == "Text of resp_1."
