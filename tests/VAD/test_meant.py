"""Speech that may not be meant for the program, in silence and while its answer is awaited."""

import numpy as np
import pytest

from pipeline.events import Ducked, Interrupted, Transcript, TurnDone
from pipeline.settings import EndpointerSettings, SessionSettings
from STT.base import Transcription
from testing.conversation import Conversation
from testing.fakes import ScriptedModel, ScriptedRecognizer
from tests.socket_clients import wait_for

REPLY = "One sentence that takes a while to say. And another one of the same length."
PLAIN = EndpointerSettings(speculate=False)


def talk(*texts: str | Transcription, full_duplex: bool = True, reply: str = REPLY) -> Conversation:
    return Conversation(
        full_duplex=full_duplex,
        llm=ScriptedModel(reply),
        stt=ScriptedRecognizer(*texts),
        endpointing=PLAIN,
    )


def asked(conversation: Conversation, reply: str = REPLY) -> Conversation:
    """Ask the first question, which is committed; the model has not answered."""
    conversation.llm.hold.close()
    conversation.speak(320)
    conversation.wait(544, settle=False)
    conversation.llm.hold.wait_until_reached()
    return conversation


def answer(conversation: Conversation) -> None:
    conversation.llm.hold.open()
    conversation.wait(200)


@pytest.mark.parametrize("full_duplex", [True, False])
def test_a_filler_while_the_model_thinks_leaves_the_turn_alone(full_duplex: bool) -> None:
    with talk("Where is it?", "Uh,", full_duplex=full_duplex) as conversation:
        asked(conversation).speak(320, settle=False)
        conversation.wait(320, settle=False)
        answer(conversation)
        assert conversation.until_done(1).heard == REPLY
        assert len(conversation.llm.prompts) == 1
        assert [event.text for event in conversation.events(Transcript)] == ["Where is it?"]


def test_a_voice_that_comes_again_and_again_while_the_model_thinks_restarts_nothing() -> None:
    with talk("Where is it?", *["Huh?"] * 9) as conversation:
        asked(conversation)
        for _ in range(4):
            conversation.speak(320, level=0.2, settle=False)
            conversation.wait(640, settle=False)
        answer(conversation)
        assert conversation.until_done(1).heard == REPLY
        assert len(conversation.llm.prompts) == 1


def test_a_user_who_goes_on_is_answered_once_to_the_whole() -> None:
    texts = ("Where is it?", "The second one.", "Where is it? The second one.")
    with talk(*texts) as conversation:
        asked(conversation).speak(320, settle=False)
        conversation.wait(320, settle=False)
        wait_for(lambda: len(conversation.llm.prompts) == 2, "the model being asked again")
        answer(conversation)
        (done,) = [done for done in conversation.events(TurnDone) if done.turn == 1]
        assert done.state == "dropped"
        assert conversation.until_done(2).heard == REPLY
        assert conversation.llm.prompts[-1][-1].content == texts[-1]
        assert len(conversation.stt.heard[2]) > len(conversation.stt.heard[1]) + 320 * 16


def test_a_user_who_goes_on_after_a_cough_is_answered_without_it() -> None:
    texts = ("Where is it?", "Um.", "The second one.", "Where is it? The second one.")
    with talk(*texts) as conversation:
        asked(conversation).speak(320, level=0.3, settle=False)
        conversation.wait(320, settle=False)
        wait_for(lambda: bool(conversation.done(2)), "the cough being judged")
        conversation.speak(320, settle=False)
        conversation.wait(320, settle=False)
        wait_for(lambda: len(conversation.llm.prompts) == 2, "the model being asked again")
        answer(conversation)
        assert conversation.until_done(3).user_text == texts[-1]
        assert not np.any(np.isclose(np.abs(conversation.stt.heard[-1]), 0.3)), "the cough is left out"


def test_an_answer_may_begin_while_a_far_voice_goes_on() -> None:
    with talk("Where is it?", *["and now the news"] * 9) as conversation:
        asked(conversation).speak(480, level=0.06, settle=False)
        conversation.llm.hold.open()
        conversation.settle()
        conversation.speak(480, level=0.06)
        assert conversation.sink.frames, "the answer has begun"
        conversation.wait(320)
        assert conversation.until_done(1).heard == REPLY
        assert not conversation.events(Interrupted)


@pytest.mark.parametrize("text", ["Um.", "Hmm,", "Uh, um", "Oh.", "Huh?"])
def test_a_filler_alone_gets_no_answer(text: str) -> None:
    with talk(text, "Where is it?") as conversation:
        conversation.speak(320)
        conversation.wait(1500)
        assert not conversation.llm.prompts
        assert not conversation.events(Transcript, Ducked)
        conversation.ask()
        assert conversation.until_done(2).heard == REPLY
        assert [message.role for message in conversation.llm.prompts[0]] == ["system", "user"]


@pytest.mark.parametrize("text", ["Yes.", "No.", "Stop.", "Why?", "Anna.", "Okay.", "はい。"])
def test_a_short_answer_is_answered(text: str) -> None:
    with talk("Hello there.", text) as conversation:
        conversation.ask()
        conversation.until_done(1)
        conversation.ask()
        assert conversation.until_done(2).user_text == text


def test_a_far_voice_gets_no_answer() -> None:
    with talk("Where is it?", "and now the news") as conversation:
        conversation.ask()
        conversation.until_done(1)
        conversation.speak(640, level=0.06)
        conversation.wait(1500)
        assert len(conversation.llm.prompts) == 1


def test_a_user_who_moved_away_and_says_it_again_is_answered() -> None:
    with talk("Where is it?", *["is anybody there"] * 9) as conversation:
        conversation.ask()
        conversation.until_done(1)
        for _ in range(2):
            conversation.speak(640, level=0.06)
            conversation.wait(1000)
        assert len(conversation.llm.prompts) == 2


def test_a_sound_may_answer_a_question() -> None:
    with talk("Hello.", "Uh-huh.", reply="Do you want any tea?") as conversation:
        conversation.ask()
        conversation.until_done(1)
        conversation.ask()
        assert conversation.until_done(2).user_text == "Uh-huh."


def test_speech_that_goes_on_by_hand_is_the_users() -> None:
    with talk("Where is it?", "Where is it? Um.") as conversation:
        asked(conversation).speak(256, settle=False)
        conversation.session.start_speech()
        conversation.speak(256, settle=False)
        conversation.session.commit_speech()
        wait_for(lambda: len(conversation.llm.prompts) == 2, "the model being asked again")
        answer(conversation)
        assert conversation.done(1)[0].state == "dropped"
        assert conversation.until_done(2).user_text == "Where is it? Um."


def test_speech_that_is_cancelled_leaves_the_turn_before_it_alone() -> None:
    with talk("Where is it?", "The second one.") as conversation:
        asked(conversation).speak(256, settle=False)
        conversation.session.cancel_speech()
        conversation.wait(64, settle=False)
        answer(conversation)
        assert conversation.until_done(1).heard == REPLY
        conversation.ask()
        assert conversation.until_done(2).user_text == "The second one."


def test_speech_by_hand_is_always_meant() -> None:
    with talk("Um.") as conversation:
        conversation.session.start_speech()
        conversation.speak(320)
        conversation.session.commit_speech()
        assert conversation.until_done(1).heard == REPLY


def test_what_is_only_transcribed_is_not_judged() -> None:
    with talk("Um.") as conversation:
        conversation.session.change_settings(SessionSettings(answers=False))
        conversation.ask()
        conversation.wait(500)
        assert [event.text for event in conversation.events(Transcript)] == ["Um."]


def test_without_words_the_sound_is_a_turn() -> None:
    with talk(Transcription("", unheard=True)) as conversation:
        conversation.ask()
        assert conversation.until_done(1).heard == REPLY
