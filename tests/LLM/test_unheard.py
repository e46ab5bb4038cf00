"""An answer with nothing to hear is an error that says why."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from pipeline.events import ErrorEvent, NoticeGiven, ReplyText, ToolCallGrew
from pipeline.messages import AudioChunk, ChatMessage, ToolCall
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken, TurnState
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, ScriptedModel, ScriptedSynthesizer
from testing.server import ScriptedWebServer
from tests.realtime_client import RealtimeClient

CODE = "```python\nprint(1)\n```"
CALL = ToolCall("call_1", "weather", "{}")


class Mute(ScriptedSynthesizer):
    """Returns no audio for some words."""

    def __init__(self, *mute: str, chunks: int = 1) -> None:
        super().__init__()
        self._mute, self._chunks = mute, chunks

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        if not any(word in text for word in self._mute):
            yield from super().synthesize(text, voice, language, cancel)
        for _ in range(self._chunks):
            yield AudioChunk(np.empty(0, np.float32), RATE_HZ)


class Mixed(ScriptedModel):
    """Writes words, then calls a function."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def generate(self, *_: object, **__: object) -> Iterator[str | ToolCall]:
        yield self._words
        yield CALL


class Endless(ScriptedModel):
    """Writes code, then calls a function, and has not finished."""

    def generate(
        self, messages: Sequence[ChatMessage], cancel: CancelToken, *_: object
    ) -> Iterator[str | ToolCall]:
        yield CODE
        yield CALL
        self.hold.pass_through(cancel)


def asked(
    llm: ScriptedModel,
    tts: ScriptedSynthesizer | None = None,
    settings: SessionSettings = SessionSettings(),
) -> Conversation:
    """A conversation in which one question was asked and its turn is over."""
    talk = Conversation(llm=llm, tts=tts, settings=settings)
    with talk:
        talk.ask()
        talk.until_done(1)
    return talk


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (CODE, "only code"),
        (f"1. {CODE}", "only code"),
        ("```python\nprint(1)", "only code"),
        ("👍", "without any"),
        ("...", "without any"),
        ("---\n***\n", "without any"),
        ("![](cat.png)", "without any"),
        ("<think>It is one.", "only its thoughts"),
        ("<think>It is one.</think>\n", "only its thoughts"),
    ],
)
def test_an_answer_without_words_to_speak_is_an_error(answer: str, why: str) -> None:
    talk = asked(ScriptedModel(answer))
    (error,) = talk.events(ErrorEvent)
    assert (error.turn, error.stage, error.code) == (1, "llm", "nothing_heard")
    assert why in error.text
    assert talk.events(ReplyText) == []


@pytest.mark.parametrize("answer", ["One.", f"Sure:\n{CODE}", f"{CODE}\nRun it.", "", " \n", CALL])
def test_an_answer_that_is_heard_or_that_is_empty_is_none(answer: str | ToolCall) -> None:
    assert asked(ScriptedModel(answer)).events(ErrorEvent) == []


def test_words_before_a_call_are_to_be_heard_other_output_need_not() -> None:
    assert asked(Mixed("...")).events(ErrorEvent) == []
    assert asked(Mixed("<think>Which city?</think>")).events(ErrorEvent) == []
    (error,) = asked(Mixed(CODE)).events(ErrorEvent)
    assert error.code == "nothing_heard"


def test_paragraphs_and_the_words_around_code_are_not_joined_in_the_transcript() -> None:
    talk = asked(ScriptedModel(f"\n\nOne.\n\nTwo.\n{CODE}\nThree."))
    assert "".join(event.text for event in talk.events(ReplyText)).split() == ["One.", "Two.", "Three."]


def test_an_answer_that_is_shown_may_be_code() -> None:
    talk = asked(ScriptedModel(f"{CODE}\n👍"), settings=SessionSettings(spoken=False))
    assert talk.events(ErrorEvent) == []
    assert "".join(event.text for event in talk.events(ReplyText)) == f"{CODE}\n👍"


def test_an_interrupted_answer_is_no_error() -> None:
    llm = Endless()
    llm.hold.close()
    with Conversation(llm=llm) as talk:
        mail = talk.session.events.subscribe()
        turn = talk.begin_tentative()
        turn.commit()
        assert any(isinstance(event, ToolCallGrew) for event in iter(lambda: mail.fetch(60), None))
        talk.session.interrupt()
        llm.hold.open()
        talk.settle()
        assert turn.state is TurnState.INTERRUPTED
        assert talk.events(ErrorEvent) == []


def test_the_model_remembers_what_it_wrote_in_vain() -> None:
    llm = ScriptedModel(CODE, "One.")
    with Conversation(llm=llm) as talk:
        talk.ask()
        talk.until_done(1)
        talk.ask()
        talk.until_done(2)
    written = [message.content for message in llm.prompts[1] if message.role == "assistant"]
    assert written == [f"{CODE}…"]


@pytest.mark.parametrize("chunks", [0, 1])
def test_a_voice_without_audio_is_an_error(chunks: int) -> None:
    llm = ScriptedModel("One. Two.")
    with Conversation(llm=llm, tts=Mute("One", "Two", chunks=chunks)) as talk:
        for turn in (1, 2):
            talk.ask()
            talk.until_done(turn)
        first, second = talk.events(ErrorEvent)
    assert (first.turn, first.stage, first.code) == (1, "playout", "nothing_heard")
    assert second.turn == 2
    assert [message.content for message in llm.prompts[1] if message.role == "assistant"] == [
        "One. Two.…"
    ]


def test_a_sentence_without_audio_is_told() -> None:
    talk = asked(ScriptedModel("One. Two. Three."), Mute("Two"))
    (notice,) = talk.events(NoticeGiven)
    assert (notice.stage, notice.code) == ("tts", "sentence_unheard")
    assert talk.events(ErrorEvent) == []


@pytest.mark.parametrize("mute", [False, True])
def test_a_realtime_response_of_which_nothing_is_heard_has_failed(mute: bool) -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = ["One." if mute else CODE]
        if mute:
            server.tts.synthesize = Mute("One").synthesize  # type: ignore[method-assign]
        with RealtimeClient(server.port) as client:
            client.until("session.created")
            client.ask()
            response = client.until("response.done").response
            assert response.status == "failed"
            assert response.status_details.error.code == "nothing_heard"
            server.llm._replies = ["Two."]
            client.ask()
            assert client.until("response.done").response.status == "completed"
