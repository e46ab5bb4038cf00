"""`--s2s realtime`: responses of a scripted server become turns, whatever their order."""

import base64
from typing import Any

import numpy as np
import pytest

from pipeline.audio import from_pcm16
from pipeline.events import (
    ErrorEvent,
    PartialTranscript,
    ReplyStarted,
    ReplyText,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    TurnCommitted,
    TurnDone,
)
from pipeline.settings import SessionSettings
from S2S.realtime import responses
from testing.realtime_server import ScriptedConnection, ScriptedRealtimeServer
from tests.S2S.realtime.talk import RATE_HZ, Talk, answer


class TestSpeech:
    def test_audio_is_sent_at_once_and_unchanged(self, there: ScriptedConnection, talk: Talk) -> None:
        talk.session.feed(np.linspace(-0.5, 0.5, 480, dtype=np.float32), RATE_HZ)
        sent = [there.until("input_audio_buffer.append")["audio"] for _ in range(2)]
        samples = from_pcm16(b"".join(map(base64.b64decode, sent)))
        np.testing.assert_allclose(samples, np.linspace(-0.5, 0.5, 480), atol=1e-4)

    def test_speech_is_a_turn_and_the_response_its_reply(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        talk.say(500)
        for _ in range(50):
            there.until("input_audio_buffer.append")
        there.hear("item_1", "What is it?")
        answer(there, "resp_1")
        done = talk.until(TurnDone)
        assert (done.state, done.user_text, done.heard) == ("done", "What is it?", "Text of resp_1.")
        kinds = (SpeechStarted, SpeechEnded, TurnCommitted, Transcript, ReplyStarted, ReplyText)
        assert [type(event) for event in talk.events if isinstance(event, kinds)] == list(kinds)
        assert talk.of(SpeechStarted)[0].sample == 2400
        assert talk.of(SpeechEnded)[0].speech_end_sample == 9600
        assert len(talk.sink.audio()) == 2400
        assert talk.remembered() == [("user", "What is it?"), ("assistant", "Text of resp_1.")]
        assert done.latency.silence_ms is not None

    def test_words_that_come_after_the_answer_stand_before_it(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1", None)
        answer(there, "resp_1")
        talk.until(TurnDone)
        kind = "conversation.item.input_audio_transcription.completed"
        there.send(kind, item_id="item_1", content_index=0, transcript="Late words.")
        assert talk.until(Transcript).text == "Late words."
        assert talk.remembered() == [("user", "Late words."), ("assistant", "Text of resp_1.")]

    def test_partial_words(self, there: ScriptedConnection, talk: Talk) -> None:
        for delta in ("What ", "is ", "it?"):
            kind = "conversation.item.input_audio_transcription.delta"
            there.send(kind, item_id="item_1", content_index=0, delta=delta)
        last = talk.until(PartialTranscript, lambda partial: partial.text == "What is it?")
        assert last.stable_chars == len("What is it?")

    def test_an_utterance_that_is_taken_back_is_forgotten(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1", "Hm.")
        there.send("conversation.item.deleted", item_id="item_1")
        done = talk.until(TurnDone)
        assert done.state == "dropped"
        there.hear("item_2", "Hm. What is it?")
        answer(there, "resp_1")
        assert talk.until(TurnDone).heard == "Text of resp_1."
        assert talk.remembered()[0] == ("user", "Hm. What is it?")

    def test_positions_are_right_after_a_gap(self, server: ScriptedRealtimeServer) -> None:
        with Talk(server.url, full_duplex=False) as talk:
            there = server.accept()
            talk.say(1000)
            there.hear("item_1")
            answer(there, "resp_1", ms=400)
            talk.until(ReplyStarted)
            talk.say(1000)  # nobody listens
            talk.until(TurnDone)
            assert talk.session.should_listen.wait(5)
            talk.say(1000)
            while sum(e["type"] == "input_audio_buffer.append" for e in there.received) < 200:
                there.until("input_audio_buffer.append")
            there.send("input_audio_buffer.speech_started", item_id="item_2", audio_start_ms=1500)
            assert talk.until(SpeechStarted, lambda e: e.sample > 24000).sample == pytest.approx(
                60000, abs=960
            )


class TestReplies:
    def test_the_old_names_of_events(self, there: ScriptedConnection, talk: Talk) -> None:
        there.hear("item_1")
        there.begin("resp_1")
        place = {"response_id": "resp_1", "item_id": "item_2", "content_index": 0}
        there.send("response.audio_transcript.delta", delta="Old ", **place)
        pcm = base64.b64encode(bytes(4800)).decode()
        there.send("response.audio.delta", delta=pcm, **place)
        there.send("response.audio_transcript.delta", delta="names.", **place)
        there.send("response.audio.delta", delta=pcm, **place)
        there.end("resp_1")
        assert talk.until(TurnDone).heard == "Old names."

    def test_samples_may_be_cut_in_half(self, there: ScriptedConnection, talk: Talk) -> None:
        there.begin("resp_1")
        pcm = np.arange(2400, dtype="<i2").tobytes()
        for part in (pcm[:1001], pcm[1001:1002], pcm[1002:]):
            fields = {"response_id": "resp_1", "item_id": "item_1"}
            there.send("response.output_audio.delta", delta=base64.b64encode(part).decode(), **fields)
        there.end("resp_1")
        talk.until(TurnDone)
        np.testing.assert_allclose(talk.sink.audio()[:2400] * 32768, np.arange(2400), atol=2)

    def test_a_response_that_nobody_asked_for_is_a_turn_of_the_program(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        answer(there, "resp_1")
        assert talk.until(TurnCommitted).origin == "program"
        assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_two_responses_at_once_are_heard_one_after_the_other(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        for response in ("resp_1", "resp_2"):
            there.begin(response)
        for response in ("resp_2", "resp_1", "resp_2", "resp_1"):
            there.say(response, 60, f"{response} ")
        there.end("resp_2")
        there.end("resp_1")
        heard = [talk.until(TurnDone).heard for _ in range(2)]
        assert heard == ["resp_1 resp_1", "resp_2 resp_2"]
        assert len(talk.sink.audio(1)) == len(talk.sink.audio(2)) == 2880

    def test_text_without_speech(self, server: ScriptedRealtimeServer) -> None:
        with Talk(server.url, settings=SessionSettings(spoken=False)) as talk:
            there = server.accept()
            assert there.received[-1]["session"]["output_modalities"] == ["text"]
            there.begin("resp_1")
            for word in ("Only ", "words."):
                there.send("response.output_text.delta", response_id="resp_1", item_id="i", delta=word)
            there.end("resp_1")
            assert talk.until(TurnDone).heard == "Only words."
            assert len(talk.sink.audio()) == 0

    @pytest.mark.parametrize(
        ("status", "details", "reason"),
        [
            ("completed", {}, "complete"),
            ("incomplete", {"reason": "max_output_tokens"}, "max_output_tokens"),
            ("incomplete", {"reason": "content_filter"}, "content_filter"),
            ("failed", {"error": {"type": "server_error", "code": "overloaded"}}, "s2s failed"),
        ],
    )
    def test_the_end(
        self, there: ScriptedConnection, talk: Talk, status: str, details: dict[str, Any], reason: str
    ) -> None:
        there.hear("item_1")
        there.begin("resp_1")
        there.say("resp_1", 60, "Text.")
        there.end("resp_1", status, **details)
        done = talk.until(TurnDone)
        assert (done.reason, done.heard) == (reason, "Text.")
        errors = [(error.code, error.turn) for error in talk.of(ErrorEvent)]
        assert errors == ([("overloaded", 1)] if status == "failed" else [])

    def test_a_response_that_the_server_stops_is_interrupted(
        self, there: ScriptedConnection, talk: Talk
    ) -> None:
        there.hear("item_1")
        there.begin("resp_1")
        there.say("resp_1", 5000, "A long text. " * 20)
        talk.until(ReplyStarted)
        there.end("resp_1", "cancelled", reason="turn_detected")
        done = talk.until(TurnDone)
        assert (done.state, done.reason) == ("interrupted", "the user went on")

    def test_silence_is_no_answer(self, server: ScriptedRealtimeServer) -> None:
        with Talk(server.url, check_sound=True) as talk:
            there = server.accept()
            there.hear("item_1")
            there.begin("resp_1")
            there.say("resp_1", 1000, "Unheard words.", tone_hz=0)
            there.end("resp_1")
            error = talk.until(ErrorEvent)
            assert (error.code, error.turn) == ("bad_audio", 1)
            there.hear("item_2")
            answer(there, "resp_2", ms=500)
            assert talk.until(TurnDone, lambda done: done.turn == 2).heard == "Text of resp_2."

    def test_a_flood_ends_the_turn_only(
        self, there: ScriptedConnection, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(responses, "MAX_AHEAD_S", 2.0)
        there.begin("resp_1")
        for _ in range(30):
            there.say("resp_1", 100)
        assert there.until("response.cancel")["response_id"] == "resp_1"
        assert talk.until(ErrorEvent).code == "busy"
        assert talk.until(TurnDone).reason == "s2s failed"
        answer(there, "resp_2")
        assert talk.until(TurnDone).heard == "Text of resp_2."

    def test_a_flood_of_responses_is_refused(self, there: ScriptedConnection, talk: Talk) -> None:
        for number in range(40):
            there.begin(f"resp_{number}")
        refused = [there.until("response.cancel")["response_id"] for _ in range(8)]
        assert refused == [f"resp_{number}" for number in range(32, 40)]
