"""Turns that a user begins and ends by hand: push to talk."""

from collections.abc import Iterator

import pytest

from pipeline.events import (
    ErrorEvent,
    Interrupted,
    ListeningChanged,
    SpeechCancelled,
    SpeechEnded,
    SpeechStarted,
)
from pipeline.settings import EndpointerSettings, SessionSettings
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, ScriptedModel

BY_HAND = SessionSettings(hands_free=False)
REPLY = "One sentence that takes a while to say. And another one of the same length."


@pytest.fixture
def talk() -> Iterator[Conversation]:
    with Conversation(
        settings=BY_HAND, llm=ScriptedModel(REPLY), endpointing=EndpointerSettings()
    ) as conversation:
        yield conversation


def heard_s(talk: Conversation, call: int = -1) -> float:
    return len(talk.stt.heard[call]) / RATE_HZ


def test_speech_alone_is_no_turn(talk: Conversation) -> None:
    talk.speak(640)
    talk.wait(1000)
    assert not talk.events(SpeechStarted)
    assert not talk.stt.heard


def test_what_is_said_between_start_and_commit_is_one_turn_whatever_the_pauses(
    talk: Conversation,
) -> None:
    talk.speak(640)
    talk.session.start_speech()
    talk.speak(320)
    talk.wait(1500)
    talk.speak(320)
    talk.session.commit_speech()
    done = talk.until_done(talk.sink.turns()[0] if talk.sink.frames else 2)
    assert done.user_text == "words"
    assert heard_s(talk) == pytest.approx(0.32 + 1.5 + 0.32, abs=0.07)
    assert len(talk.events(SpeechStarted)) == len(talk.events(SpeechEnded)) == 1


def test_the_answer_begins_at_the_commit(talk: Conversation) -> None:
    """There is no wait for silence, and the work done ahead in the pause before is ready."""
    talk.session.start_speech()
    talk.speak(640)
    talk.wait(192)
    assert talk.tts.spoken, "made in the pause"
    assert not talk.sink.frames
    talk.session.commit_speech()
    talk.settle()
    assert talk.sink.turns() == [1]
    assert len(talk.stt.heard) == 1


def test_the_silence_before_the_first_word_does_not_belong_to_it(talk: Conversation) -> None:
    talk.session.start_speech()
    talk.wait(1500)
    assert not talk.events(SpeechStarted)
    talk.speak(64)
    talk.session.commit_speech()
    talk.settle()
    assert heard_s(talk) == pytest.approx(0.064 + 0.128, abs=0.04), "with a little before it"


def test_a_whisper_at_the_end_belongs_to_it(talk: Conversation) -> None:
    """The whisper is too quiet for the voice detector, after a pause at which the end was guessed."""
    talk.session.start_speech()
    talk.speak(640)
    talk.wait(128)
    talk.speak(960, level=0.02)
    talk.session.commit_speech()
    talk.settle()
    assert heard_s(talk) == pytest.approx(0.64 + 0.128 + 0.96, abs=0.07)


@pytest.mark.parametrize("ms", [0, 1500])
def test_who_says_nothing_is_not_answered(talk: Conversation, ms: int) -> None:
    talk.session.start_speech()
    talk.wait(ms)
    talk.session.commit_speech()
    talk.settle()
    assert [error.code for error in talk.events(ErrorEvent)] == ["nothing_said"]
    assert not talk.stt.heard


def test_a_reply_in_line_does_not_begin_when_the_user_has_pressed_the_key(talk: Conversation) -> None:
    talk.session.say("One sentence that takes a while to say, for the user to press the key in.")
    talk.session.say("The next in line.")
    talk.until(lambda: bool(talk.sink.frames))
    talk.session.start_speech()
    talk.wait(640)
    talk.speak(640)
    assert talk.sink.turns() == [1]
    talk.session.commit_speech()
    talk.settle()
    assert heard_s(talk) == pytest.approx(0.64 + 0.128, abs=0.07)


def test_what_is_cancelled_was_never_said(talk: Conversation) -> None:
    talk.session.start_speech()
    talk.speak(640)
    talk.wait(192)
    talk.session.cancel_speech()
    talk.wait(1000)
    assert not talk.sink.frames
    assert len(talk.events(SpeechCancelled)) == 1
    assert talk.chat.prompt("", None)[1:] == []
    talk.session.start_speech()
    talk.speak(320)
    talk.session.commit_speech()
    talk.settle()
    assert heard_s(talk) == pytest.approx(0.32, abs=0.04)


def test_committing_nothing_is_an_error_that_changes_nothing(talk: Conversation) -> None:
    talk.session.commit_speech()
    talk.settle()
    (error,) = talk.events(ErrorEvent)
    assert (error.stage, error.code) == ("vad", "nothing_said")
    talk.session.start_speech()
    talk.speak(320)
    talk.session.commit_speech()
    assert talk.until_done(1).state == "done"


def test_pressing_the_key_stops_the_reply_and_opens_the_microphone_at_once(
    talk: Conversation,
) -> None:
    """In half duplex too: a user who presses the key does not wait for the echo to decay."""
    talk.session.start_speech()
    talk.speak(320)
    talk.session.commit_speech()
    talk.wait(320)
    assert not talk.session.should_listen.is_set()
    talk.session.start_speech()
    assert len(talk.events(Interrupted)) == 1
    talk.speak(640)
    assert [event.listening for event in talk.events(ListeningChanged)] == [False, True]
    talk.session.commit_speech()
    talk.settle()
    assert heard_s(talk) == pytest.approx(0.64, abs=0.04)


def test_hands_free_speech_can_be_committed_and_cancelled_too() -> None:
    with Conversation(endpointing=EndpointerSettings()) as talk:
        talk.speak(640)
        talk.session.commit_speech()
        talk.settle()
        assert talk.sink.turns() == [1]
        talk.until_done(1)
        talk.wait(500)
        talk.speak(640)
        talk.session.cancel_speech()
        talk.wait(1000)
        assert len(talk.stt.heard) == 1


def test_who_presses_in_mid_sentence_loses_nothing_of_it() -> None:
    with Conversation(endpointing=EndpointerSettings()) as talk:
        talk.speak(320)
        talk.session.start_speech()
        talk.speak(320)
        talk.wait(1500)
        talk.speak(320)
        talk.session.commit_speech()
        talk.settle()
        assert heard_s(talk) == pytest.approx(2.46, abs=0.14)


def test_the_settings_may_change_while_somebody_speaks() -> None:
    with Conversation(endpointing=EndpointerSettings()) as talk:
        talk.speak(640)
        talk.session.change_settings(BY_HAND)
        talk.wait(1000)
        assert len(talk.events(SpeechCancelled)) == 1
        assert not talk.stt.heard
        talk.session.change_settings(SessionSettings())
        talk.speak(640)
        talk.wait(640)
        assert talk.sink.turns()


def test_a_file_that_ends_with_the_key_down_is_answered(talk: Conversation) -> None:
    talk.session.start_speech()
    talk.speak(640)
    talk.session.finish()
    talk.until(lambda: bool(talk.sink.frames))
    for call in (
        talk.session.start_speech,
        talk.session.commit_speech,
        talk.session.cancel_speech,
    ):
        call()
