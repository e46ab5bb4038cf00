"""The stage of turn-by-turn engines: conversation, memory, functions, failures."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from LLM.chat import CUT_MARK, DEFAULT_PROMPT
from pipeline.errors import EngineError
from pipeline.events import (
    ErrorEvent,
    Interrupted,
    NoticeGiven,
    ReplyText,
    ToolCalled,
    ToolCallGrew,
    Transcript,
)
from pipeline.messages import SPOKEN, ChatMessage, CutOff, Notice, ToolCall
from pipeline.settings import EndpointerSettings, SessionSettings, Tool
from S2S.base import Answer, UserWords
from S2S.tone import LABEL, ToneResponder
from testing.conversation import Conversation
from testing.scripted_responder import ScriptedResponder, said

CALL = ToolCall("call_1", "weather", '{"city": "Oslo"}')
WEATHER = Tool("weather", "The weather in a city.", {"type": "object"})

Talk = Callable[..., Conversation]


@pytest.fixture
def talk() -> Iterator[Talk]:
    """Make a conversation with an engine that gives these answers."""
    with ExitStack() as stack:

        def begin(*answers: list[Answer], **options: object) -> Conversation:
            engine = ScriptedResponder(*answers)
            return stack.enter_context(Conversation(s2s=engine, **options))  # type: ignore[arg-type]

        yield begin


def history(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in conversation.chat.prompt("")[1:]]


class TestQuestion:
    def test_it_holds_the_speech_and_the_conversation_before_it(self, talk: Talk) -> None:
        conversation = talk()
        for turn in (1, 2):
            conversation.ask()
            conversation.until_done(turn)
        first, second = conversation.s2s.questions
        assert first.messages == (ChatMessage("system", DEFAULT_PROMPT),)
        assert 0.32 <= len(first.samples) / 16000 < 1
        assert np.abs(first.samples).max() == pytest.approx(0.5)
        assert first.text == ""
        assert [(m.role, m.content, m.audio) for m in second.messages[1:]] == [
            ("user", SPOKEN, None),
            ("assistant", "One sentence. Another sentence.", None),
        ]

    def test_it_holds_the_settings_of_the_turn(self, talk: Talk) -> None:
        settings = SessionSettings(
            voice="high", language="te", instructions="Be kind.", tools=(WEATHER,)
        )
        conversation = talk(settings=settings)
        conversation.ask()
        conversation.until_done(1)
        (question,) = conversation.s2s.questions
        assert question.settings is settings
        assert question.messages[0].content == "Be kind.\n\nAnswer in Telugu."

    def test_typed_words_are_asked_and_remembered(self, talk: Talk) -> None:
        conversation = talk()
        conversation.session.respond("How are you?")
        conversation.until_done(1)
        (question,) = conversation.s2s.questions
        assert (question.text, len(question.samples)) == ("How are you?", 0)
        assert question.messages == (ChatMessage("system", DEFAULT_PROMPT),)
        assert history(conversation) == [
            ("user", "How are you?"),
            ("assistant", "One sentence. Another sentence."),
        ]
        assert conversation.done(1)[0].user_text == "How are you?"

    def test_the_conversation_as_it_is_ends_with_the_question(self, talk: Talk) -> None:
        conversation = talk()
        conversation.chat.note("item", ChatMessage("user", "Noted."))
        conversation.session.respond()
        conversation.until_done(1)
        conversation.session.respond()
        conversation.until_done(2)
        first, second = conversation.s2s.questions
        assert (first.text, len(first.messages)) == ("Noted.", 1)
        assert second.text == "", "the answer is the last message"
        assert [m.role for m in second.messages] == ["system", "user", "assistant"]

    def test_a_context_takes_the_place_of_the_conversation(self, talk: Talk) -> None:
        conversation = talk()
        conversation.session.respond("Remember this.")
        conversation.until_done(1)
        context = [ChatMessage("user", "Of nothing else."), ChatMessage("assistant", "Yes.")]
        conversation.session.respond(context=context, aside=True)
        conversation.until_done(2)
        assert list(conversation.s2s.questions[1].messages[1:]) == context
        assert len(history(conversation)) == 2, "an aside is not remembered"

    def test_speech_that_waits_for_an_answer_is_heard_when_one_is_asked_for(self, talk: Talk) -> None:
        conversation = talk(settings=SessionSettings(answers=False))
        conversation.ask()
        assert conversation.until_done(1).reason == "not to be answered"
        assert not conversation.s2s.questions
        conversation.session.respond()
        conversation.until_done(2)
        (question,) = conversation.s2s.questions
        assert len(question.samples) > 0
        assert question.text == ""
        assert len(question.messages) == 1

    def test_a_voice_that_it_does_not_have_is_refused(self, talk: Talk) -> None:
        conversation = talk()
        with pytest.raises(EngineError, match="expected one of the voices low, high") as caught:
            conversation.session.change_settings(SessionSettings(voice="loud"))
        assert caught.value.code == "unknown_voice"

    def test_nothing_can_be_read_aloud(self, talk: Talk) -> None:
        with pytest.raises(EngineError, match=r"expected a synthesizer .* scripted-s2s") as caught:
            talk().session.say("Welcome.")
        assert caught.value.code == "no_synthesizer"

    def test_an_engine_that_takes_no_text_says_so(self) -> None:
        with Conversation(s2s=ToneResponder()) as conversation:
            with pytest.raises(EngineError) as caught:
                conversation.session.respond("Hello")
            assert caught.value.code == "speech_only"


class TestWords:
    def test_an_engine_that_tells_no_words_shows_none(self, talk: Talk) -> None:
        conversation = talk()
        conversation.ask()
        assert conversation.until_done(1).user_text == ""
        assert not conversation.events(Transcript)
        assert history(conversation)[0] == ("user", SPOKEN)

    def test_the_words_that_it_tells_are_shown_and_remembered(self, talk: Talk) -> None:
        conversation = talk([UserWords("How are you?", "en"), said("Fine.")])
        conversation.ask()
        assert conversation.until_done(1).user_text == "How are you?"
        (transcript,) = conversation.events(Transcript)
        assert (transcript.text, transcript.language) == ("How are you?", "en")
        assert history(conversation) == [("user", "How are you?"), ("assistant", "Fine.")]

    def test_late_words_take_their_place_before_the_answer(self, talk: Talk) -> None:
        conversation = talk([said("Fine."), UserWords("How are you?")])
        conversation.ask()
        conversation.until_done(1)
        assert history(conversation) == [("user", "How are you?"), ("assistant", "Fine.")]

    def test_without_words_there_is_no_answer_and_no_error(self, talk: Talk) -> None:
        conversation = talk([UserWords("  ")])
        conversation.ask()
        assert conversation.until_done(1).reason == "no words were recognized"
        assert not conversation.events(ErrorEvent, Transcript)

    def test_of_a_guess_nothing_is_told_or_remembered(self, talk: Talk) -> None:
        words: list[Answer] = [UserWords("Half."), CALL, Notice("late", "It is late."), said("Yes.")]
        conversation = talk(words, [said("Whole.")], endpointing=EndpointerSettings())
        conversation.speak(640)
        conversation.wait(256)
        assert len(conversation.s2s.questions) == 1
        told = (Transcript, ToolCallGrew, ToolCalled, NoticeGiven, ReplyText)
        assert not conversation.events(*told)
        assert history(conversation) == []
        conversation.speak(640)
        conversation.wait(640)
        assert conversation.until_done(2).heard == "Whole."
        assert [type(event) for event in conversation.events(*told)] == [ReplyText]
        assert history(conversation) == [("user", SPOKEN), ("assistant", "Whole.")]


class TestAnswer:
    def test_only_what_was_heard_is_remembered(self, talk: Talk) -> None:
        conversation = talk([said("One.", 1000), said(" Two.", 1000), said(" Three.", 1000)])
        conversation.ask()
        conversation.until(lambda: len(conversation.sink.audio()) >= 1.5 * 16000)
        conversation.session.interrupt()
        assert conversation.events(Interrupted)[0].heard == "One."
        assert history(conversation)[-1] == ("assistant", f"One.{CUT_MARK}")

    def test_speech_over_the_answer_stops_it(self, talk: Talk) -> None:
        conversation = talk([said("A long answer.", 5000)], full_duplex=True)
        conversation.ask()
        conversation.until(lambda: bool(conversation.sink.frames))
        conversation.speak(800)
        conversation.wait(256)
        assert conversation.done(1)[0].state == "interrupted"
        assert conversation.until_done(2).state == "done"

    def test_an_answer_that_is_not_to_be_spoken_is_text(self, talk: Talk) -> None:
        conversation = talk(settings=SessionSettings(spoken=False))
        conversation.ask()
        assert conversation.until_done(1).heard == "One sentence. Another sentence."
        assert not conversation.sink.frames

    def test_a_call_of_a_function_is_reported_and_remembered(self, talk: Talk) -> None:
        pieces: list[Answer] = [replace(CALL, arguments=part) for part in ('{"city"', ': "Oslo"}')]
        conversation = talk(pieces, [said("It rains.")], settings=SessionSettings(tools=(WEATHER,)))
        conversation.ask()
        assert conversation.until_done(1).state == "done"
        assert [event.arguments for event in conversation.events(ToolCallGrew)] == [
            '{"city"',
            ': "Oslo"}',
        ]
        (called,) = conversation.events(ToolCalled)
        assert (called.call, called.name, called.arguments) == ("call_1", "weather", CALL.arguments)
        conversation.chat.note("result", ChatMessage("tool", "Rain.", answers="call_1"))
        conversation.session.respond()
        conversation.until_done(2)
        question = conversation.s2s.questions[1]
        assert (question.text, len(question.samples)) == ("", 0)
        assert [m.role for m in question.messages] == ["system", "user", "assistant", "tool"]
        assert not conversation.events(ErrorEvent)

    def test_it_says_why_the_model_stopped(self, talk: Talk) -> None:
        conversation = talk([said("And then"), CutOff("max_output_tokens")])
        conversation.ask()
        assert conversation.until_done(1).reason == "max_output_tokens"

    @pytest.mark.parametrize("spoken", [True, False])
    def test_an_empty_answer_has_failed(self, talk: Talk, spoken: bool) -> None:
        conversation = talk([said(None, 0)], settings=SessionSettings(spoken=spoken))
        conversation.ask()
        conversation.until_done(1)
        (error,) = conversation.events(ErrorEvent)
        assert (error.stage, error.code) == ("s2s", "nothing_heard")
        assert "none from scripted-s2s" in error.text

    def test_words_without_audio_have_failed(self, talk: Talk) -> None:
        conversation = talk([said("Silent words.", 0)])
        conversation.ask()
        conversation.until_done(1)
        assert [event.code for event in conversation.events(ErrorEvent)] == ["nothing_heard"]

    def test_an_error_ends_the_turn_and_not_the_session(self, talk: Talk) -> None:
        conversation = talk([said("One.")])
        engine = conversation.s2s
        engine.error = EngineError("the cable is cut", "unreachable")
        conversation.ask()
        conversation.until_done(1)
        assert [event.code for event in conversation.events(ErrorEvent)] == ["unreachable"]
        engine.error = None
        conversation.wait(500)
        conversation.ask()
        assert conversation.until_done(2).heard == "One."


def test_a_tone_answers_speech_and_nothing_else() -> None:
    with Conversation(s2s=ToneResponder()) as conversation:
        conversation.ask()
        done = conversation.until_done(1)
        assert (done.user_text, done.heard) == ("", LABEL)
        assert not conversation.events(Transcript)
        assert not conversation.session.capabilities.tools
