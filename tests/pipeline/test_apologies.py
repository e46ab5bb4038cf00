"""A failure before the first word of an answer is told by the voice."""

import pytest

from pipeline.apologies import NO_ANSWER, NOT_UNDERSTOOD, PAUSE_S, UNREACHABLE
from pipeline.errors import EngineError
from pipeline.events import ErrorEvent, ReplyText
from pipeline.settings import SessionSettings
from STT.base import Transcription
from testing.conversation import Conversation
from testing.fakes import ScriptedModel, ScriptedRecognizer, ScriptedSynthesizer

GONE = EngineError("no server answers", "unreachable")


def failing(error: Exception = GONE, after_words: int = 0) -> ScriptedModel:
    model = ScriptedModel("First sentence. Second sentence.")
    model.error_after_words = after_words, error
    return model


@pytest.mark.parametrize(
    ("error", "text"),
    [(GONE, UNREACHABLE["en"]), (ValueError("broken"), NO_ANSWER["en"])],
    ids=["unreachable", "broken"],
)
def test_a_model_that_fails_is_told_and_the_turn_has_failed(error: Exception, text: str) -> None:
    with Conversation(llm=failing(error)) as talk:
        talk.ask()
        done = talk.until_done(1)
        assert talk.tts.spoken == [text]
        assert (done.state, done.reason, done.heard) == ("failed", "llm failed", text)
        assert done.latency.total_ms is None, "it is no answer"
        assert [event.text for event in talk.events(ReplyText)] == [text]
        assert [event.stage for event in talk.events(ErrorEvent)] == ["llm"]


def test_it_is_not_remembered() -> None:
    with Conversation(llm=failing()) as talk:
        talk.ask()
        talk.until_done(1)
        talk.llm.error_after_words = None
        talk.ask()
        talk.until_done(2)
        said = [message for message in talk.llm.prompts[-1] if message.role == "assistant"]
        assert said == []


def test_a_recognizer_that_fails_is_told() -> None:
    stt = ScriptedRecognizer()
    stt.error = EngineError("deaf")
    with Conversation(stt=stt) as talk:
        talk.ask()
        assert talk.until_done(1).state == "failed"
        assert talk.tts.spoken == [NOT_UNDERSTOOD["en"]]


def test_it_is_told_in_the_language_of_the_conversation() -> None:
    languages = ("en", "de", "fr", "hu")
    with Conversation(
        llm=failing(),
        tts=ScriptedSynthesizer(languages=languages),
        stt=ScriptedRecognizer(
            Transcription("Bonjour", "fr-auto"), Transcription("Jó napot", "hu"), languages=languages
        ),
    ) as talk:
        talk.ask()
        talk.until_done(1)
        talk.wait(round(1000 * PAUSE_S))
        talk.ask()
        talk.until_done(2)
        talk.wait(round(1000 * PAUSE_S))
        talk.session.change_settings(SessionSettings(language="de"))
        talk.ask()
        talk.until_done(3)
        assert talk.tts.spoken == [UNREACHABLE["fr"], UNREACHABLE["en"], UNREACHABLE["de"]]


def test_failures_in_a_row_are_told_once() -> None:
    with Conversation(llm=failing()) as talk:
        for turn in (1, 2, 3):
            talk.session.respond("Hello?")
            assert talk.until_done(turn).state == "failed"
        assert len(talk.tts.spoken) == 1
        talk.wait(round(1000 * PAUSE_S))
        talk.session.respond("Hello?")
        talk.until_done(4)
        assert len(talk.tts.spoken) == 2


def test_an_answer_that_was_begun_is_not_followed_by_it() -> None:
    with Conversation(llm=failing(after_words=3)) as talk:
        talk.ask()
        assert talk.until_done(1).heard == "First sentence."


@pytest.mark.parametrize(
    "settings", [SessionSettings(spoken=False), SessionSettings(apologizes=False)], ids=["text", "off"]
)
def test_it_is_not_for_replies_that_are_only_text(settings: SessionSettings) -> None:
    with Conversation(llm=failing(), settings=settings) as talk:
        talk.ask()
        done = talk.until_done(1)
        assert (done.state, done.heard, talk.tts.spoken) == ("failed", "", [])


def test_an_answer_of_which_nothing_can_be_spoken_is_no_failure_of_the_model() -> None:
    with Conversation(llm=ScriptedModel("```\nx = 1\n```")) as talk:
        talk.ask()
        assert talk.until_done(1).state == "failed"
        assert talk.tts.spoken == []


def test_a_guess_that_fails_and_is_taken_back_is_not_told() -> None:
    with Conversation(llm=failing()) as talk:
        turn = talk.begin_tentative()
        talk.settle()
        turn.drop("the user went on")
        talk.session.respond("Hello?")
        assert talk.until_done(2).heard == UNREACHABLE["en"]


def test_a_voice_that_fails_too_ends_the_turn() -> None:
    tts = ScriptedSynthesizer()
    tts.error_at_text = UNREACHABLE["en"], ValueError("hoarse")
    with Conversation(llm=failing(), tts=tts) as talk:
        talk.ask()
        assert talk.until_done(1).state == "failed"
        assert [event.stage for event in talk.events(ErrorEvent)] == ["llm", "tts"]
