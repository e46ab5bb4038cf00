"""End-to-end engines in a process of their own: a conversation is a stream there."""

import contextlib
import gc
import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import engines.isolation.process
from catalog.registry import find
from engines.isolation.engines import IsolatedDuplexModel, IsolatedResponder
from pipeline.errors import EngineBusy, EngineError
from pipeline.events import ErrorEvent, ReplyText
from pipeline.messages import AudioChunk, ChatMessage, CutOff, Notice, Recording, ToolCall
from pipeline.places import Places
from pipeline.settings import EndpointerSettings, SessionSettings, Tool
from pipeline.turn import CancelToken
from S2S.base import DuplexStream, FrameResponder, Question, SpokenPiece, UserWords
from S2S.duplex_state import DuplexState
from testing.contracts import speech_like
from testing.duplex import DuplexConversation
from testing.end_to_end_contracts import DuplexModelContract, SpeechResponderContract
from testing.hold import Hold
from tests.engines.test_isolation_faults import ends
from tests.workers import duplex_model, responder

SAID = np.full(100, 0.5, np.float32)
FRAME = np.full(1280, 0.5, np.float32)


class TestNullResponder(SpeechResponderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedResponder]:
        with responder() as engine:
            yield engine


class TestNullDuplexModel(DuplexModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedDuplexModel]:
        with duplex_model() as engine:
            yield engine


class TestTone(SpeechResponderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedResponder]:
        with responder(find("s2s", "tone")) as engine:
            yield engine


@pytest.fixture
def model() -> Iterator[IsolatedDuplexModel]:
    with duplex_model() as model:
        yield model


def test_all_of_a_question_arrives_and_all_of_the_answer() -> None:
    tool = Tool("weather", "tells it", {"type": "object", "required": ["city"]})
    settings = SessionSettings(
        voice="high",
        language="te",
        endpointing=EndpointerSettings(),
        tools=(tool,),
        tool_choice="weather",
    )
    messages = (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "(spoken)", audio=Recording(SAID, 16000)),
        ChatMessage("assistant", "", (ToolCall("1", "weather", "{}"),)),
    )
    question = Question(SAID, settings, "one two", messages)
    with responder() as engine:
        assert engine.info.takes_tools
        words, notice, call, first, second, cut = engine.respond(question, CancelToken())
    assert words == UserWords("100 50.0", "te")
    assert isinstance(notice, Notice)
    assert notice.text == str((settings, messages))
    assert call == ToolCall("weather", "weather", str(tool.parameters))
    for piece, word in ((first, "one "), (second, "two ")):
        assert isinstance(piece, SpokenPiece)
        assert isinstance(piece.audio, AudioChunk)
        assert piece.text == word
        assert set(piece.audio.samples) == {0.5}
    assert cut == CutOff("length")


def test_an_answer_that_is_cancelled_ends_and_an_error_is_its_own() -> None:
    with responder() as engine:
        cancel = CancelToken()
        pieces = 0
        for piece in engine.respond(Question(SAID, SessionSettings(), "one two wait"), cancel):
            pieces += isinstance(piece, SpokenPiece)
            if pieces == 2:
                cancel.cancel()
        assert pieces == 2
        with pytest.raises(EngineError, match="does not want to"):
            list(engine.respond(Question(SAID, SessionSettings(), "refuse"), CancelToken()))
        with pytest.raises(EngineError, match="expected one of the voices low, high"):
            engine.expect_voice("no voice")
        assert list(engine.respond(Question(SAID, SessionSettings(), "one"), CancelToken()))


def test_one_that_answers_frame_by_frame_does_so_there() -> None:
    with responder() as engine:
        assert not isinstance(engine, FrameResponder)
    with responder(find("s2s", "tone")) as engine:
        assert isinstance(engine, FrameResponder)
        stream = engine.open()
        first, label = stream.answer(speech_like(16000, 0.08))
        second, none = stream.answer(speech_like(16000, 0.08))
    assert (len(first), label, len(second), none) == (8000, "TEST TONE", 1120, None)


def test_frames_go_there_and_back(model: IsolatedDuplexModel) -> None:
    stream = model.open(SessionSettings())
    assert stream.answer(FRAME)[0].tolist() == []
    texts = []
    for level in range(1, 30):
        audio, text = stream.answer(np.full(1280, level / 100, np.float32))
        assert len(audio) == 1280
        texts.append(text)
    assert audio[0] == pytest.approx(0.14)
    assert [text for text in texts if text] == ["10 ", "20 ", "30 "]


@pytest.fixture
def quick_collection() -> Iterator[None]:
    """The garbage collector looks at new objects only, not at all modules of all tests."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("quick_collection")
def test_a_conversation_that_nobody_holds_any_more_is_closed(model: IsolatedDuplexModel) -> None:
    for number in range(50):
        stream = model.open(SessionSettings())
        stream.answer(FRAME)
        if number % 2:
            stream.close()
        del stream
        gc.collect()


def test_one_that_is_over_answers_no_more(model: IsolatedDuplexModel) -> None:
    stream = model.open(SessionSettings())
    stream.close()
    with pytest.raises(EngineError, match="one that is over"):
        stream.answer(FRAME)


def test_an_error_of_a_conversation_is_its_own(model: IsolatedDuplexModel) -> None:
    unwilling, other = (model.open(SessionSettings(instructions=word)) for word in ("refuse", "go on"))
    with pytest.raises(EngineError, match="does not want to") as caught:
        unwilling.answer(FRAME)
    assert caught.value.code == "unwilling"
    with pytest.raises(EngineBusy):
        model.open(SessionSettings())
    unwilling.close()
    assert counted(other, 10) == "10 "
    assert counted(model.open(SessionSettings()), 10) == "10 "


def counted(stream: DuplexStream, frames: int) -> str | None:
    """Send some frames; returns the text of the last answer."""
    return [stream.answer(FRAME)[1] for _ in range(frames)][-1]


def test_when_its_process_dies_a_frame_fails_and_a_new_conversation_begins_in_the_next(
    model: IsolatedDuplexModel,
) -> None:
    fatal, other = (model.open(SessionSettings(instructions=word)) for word in ("kill", "go on"))
    counted(other, 5)
    first = model.pid
    with pytest.raises(EngineError, match="ended") as caught:
        fatal.answer(FRAME)
    assert caught.value.code == "engine_died"
    again = model.open(SessionSettings())
    assert model.pid != first
    assert counted(again, 10) == "10 ", "it begins at the beginning"
    with pytest.raises(EngineError, match="ended"):
        other.answer(FRAME)
    fatal.close()
    other.close()
    model.open(SessionSettings()).close()


@pytest.mark.parametrize(
    "settings", [SessionSettings(instructions="deaf"), SessionSettings(language="deaf")]
)
def test_a_conversation_that_hangs_costs_the_process_not_the_place(
    model: IsolatedDuplexModel, monkeypatch: pytest.MonkeyPatch, settings: SessionSettings
) -> None:
    """The caller may give the frame up earlier: nothing that it does reaches the worker."""
    first, places = model.pid, Places(model.info.slots)
    state = DuplexState(places)
    with monkeypatch.context() as patch:
        patch.setattr(engines.isolation.process, "STALL_S", 0.5)
        with pytest.raises(EngineError, match="ended") as caught:
            state.answer(FRAME, model, settings, CancelToken())
    assert caught.value.code == "engine_died"
    state.close()
    assert places.free == model.info.slots
    again = model.open(SessionSettings())
    assert model.pid != first
    assert counted(again, 10) == "10 "


def test_one_whose_process_is_killed_between_two_frames(model: IsolatedDuplexModel) -> None:
    stream, first = model.open(SessionSettings()), model.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert ends(first)
    with pytest.raises(EngineError, match="ended"):
        stream.answer(FRAME)
    with contextlib.suppress(EngineError):  # the new process is waited for
        stream = model.open(SessionSettings())
    stream = model.open(SessionSettings())
    assert counted(stream, 10) == "10 "


def test_a_session_goes_on_when_the_process_of_its_conversation_dies(model: Any) -> None:
    model.hold = Hold()  # which a `DuplexConversation` opens at its end
    with DuplexConversation(model) as talk:
        talk.say(1000, 0.5)
        assert [event.text for event in talk.events(ReplyText)] == ["10 "]
        first = model.pid
        os.kill(first, signal.SIGKILL)
        assert ends(first)
        talk.say(80, 0.5)
        assert [event.code for event in talk.events(ErrorEvent)] == ["engine_died"]
        model.open(SessionSettings()).close()  # the new process is waited for
        talk.say(3000, 0.5)
        assert [event.text for event in talk.events(ReplyText)][1:] == ["10 ", "20 "]
        assert len(talk.events(ErrorEvent)) == 1
        assert model.pid != first
