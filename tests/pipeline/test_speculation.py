"""Speculative work from the first short pause on: none of it shows before the commit."""

import pytest

from engines.engines import Engines, Responder
from pipeline.events import ErrorEvent, ReplyStarted, Transcript, TurnDone
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from S2S.tone import ToneResponder
from s2s_pipeline import build_pipeline
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, LoudnessDetector, ScriptedModel, ScriptedRecognizer
from testing.sinks import RecordingSink
from VAD.listener import MAX_GUESS_S
from VAD.speech_turns import MAX_STARTS


def conversation(**engines: object) -> Conversation:
    return Conversation(endpointing=EndpointerSettings(), **engines)  # type: ignore[arg-type]


def test_the_answer_is_ready_when_the_pause_is_long_enough() -> None:
    with conversation() as talk:
        talk.speak(640)
        talk.wait(256)
        assert talk.tts.spoken == ["One sentence.", "Another sentence."], "made during the pause"
        assert not talk.sink.frames
        assert not talk.events(Transcript, ReplyStarted)
        assert talk.chat.prompt("", None)[1:] == []
        talk.wait(320)
        assert talk.sink.turns() == [1]
        assert len(talk.events(Transcript)) == 1
        done = talk.until_done(1)
        assert done.latency.silence_ms == pytest.approx(512, abs=40)
        assert len(talk.stt.heard) == len(talk.llm.prompts) == 1, "nothing was done twice"


def test_who_goes_on_is_answered_once_to_the_whole() -> None:
    with conversation(stt=ScriptedRecognizer("half", "the whole")) as talk:
        talk.speak(640)
        talk.wait(256)
        talk.speak(640)
        talk.wait(640)
        assert talk.sink.turns() == [2]
        assert [event.text for event in talk.events(Transcript)] == ["the whole"]
        assert len(talk.stt.heard[1]) / RATE_HZ == pytest.approx(0.64 + 0.256 + 0.64 + 0.032, abs=0.05)
        assert talk.done(1)[0].state == "dropped"
        assert talk.until_done(2).user_text == "the whole"
        assert [m.content for m in talk.chat.prompt("", None)][1] == "the whole"


def test_it_is_bounded_in_starts() -> None:
    with conversation() as talk:
        for _ in range(MAX_STARTS + 3):
            talk.speak(320)
            talk.wait(256)
        talk.wait(640)
        assert len(talk.stt.heard) == MAX_STARTS + 1
        assert talk.until_done(MAX_STARTS + 1).state == "done"


def test_it_is_bounded_in_length() -> None:
    with conversation() as talk:
        talk.speak(int(1000 * MAX_GUESS_S) + 320)
        talk.wait(256)
        assert not talk.stt.heard
        talk.wait(640)
        assert len(talk.stt.heard) == 1


def test_not_while_the_engines_are_busy() -> None:
    with conversation(stt=ScriptedRecognizer(slots=0)) as talk:
        talk.speak(640)
        talk.wait(256)
        assert not talk.events(TurnDone)
        assert not talk.session.has_begun


def test_it_can_be_switched_off() -> None:
    with Conversation(endpointing=EndpointerSettings(speculate=False)) as talk:
        talk.speak(640)
        talk.wait(256)
        assert not talk.stt.heard


def test_an_error_is_told_when_the_turn_is_committed_and_not_of_one_that_never_was() -> None:
    with conversation() as talk:
        talk.stt.error = ValueError("no ears")
        talk.speak(640)
        talk.wait(256)
        assert not talk.events(ErrorEvent)
        talk.speak(640)
        talk.wait(640)
        assert [event.turn for event in talk.events(ErrorEvent)] == [2]
        assert talk.until_done(2).state == "failed"
        talk.stt.error = None
        talk.speak(640)
        talk.wait(640)
        assert talk.until_done(3).state == "done"


def test_the_end_of_the_input_commits_what_was_begun() -> None:
    with conversation(llm=ScriptedModel("Yes.")) as talk:
        talk.speak(640)
        talk.wait(256)
        talk.session.finish()
        assert talk.until_done(1).heard == "Yes."
        assert len(talk.stt.heard) == 1


def test_who_interrupts_everything_in_the_short_pause_is_still_answered() -> None:
    with conversation(llm=ScriptedModel("Yes.")) as talk:
        talk.speak(640)
        talk.wait(256)
        talk.session.interrupt("the client asked for it")
        talk.wait(320)
        assert talk.until_done(2).heard == "Yes."


def test_an_end_to_end_engine_speculates_too() -> None:
    talk = conversation()
    with talk:
        engines = Engines(
            LoudnessDetector(), EndpointerSettings(), Responder(SharedEngine(ToneResponder()))
        )
        sink = RecordingSink(talk.clock.now)
        session = build_pipeline(engines, sink, clock=talk.clock)
        talk.clock.on_advance(session.playout.wake)
        talk.session, other = session, talk.session
        talk.speak(640)
        talk.wait(256)
        assert not sink.frames
        talk.wait(640)
        assert sink.turns() == [1]
        session.close()
        session.join(60)
        talk.session = other


def test_of_a_guess_that_was_taken_back_nothing_is_told_or_remembered() -> None:
    with conversation(stt=ScriptedRecognizer("half", "whole")) as talk:
        talk.speak(640)
        talk.wait(256)
        talk.session.respond("typed")
        talk.settle()
        assert talk.done(1)[0].user_text == ""
        assert all("half" not in message.content for message in talk.chat.prompt("", None))
