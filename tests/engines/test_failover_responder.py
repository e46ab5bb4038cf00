"""Failover among end-to-end engines: the engine that answers, the question that it gets, and the
notices."""

from collections.abc import Iterator

import numpy as np
import pytest

from engines.failover_responder import FailoverResponder
from pipeline.engine_info import ResponderInfo
from pipeline.errors import EngineError
from pipeline.events import NoticeGiven, Transcript
from pipeline.messages import AudioChunk, ChatMessage, Notice, ToolCall
from pipeline.settings import SessionSettings, Tool
from pipeline.turn import CancelToken
from S2S.base import Answer, FrameResponder, Question, SpokenPiece, UserWords
from S2S.tone import ToneResponder
from testing.conversation import Conversation
from testing.hold import Hold
from utils.voices import unknown_voice

PATIENT_S = 60.0
AT_ONCE_S = 0.05
BROKEN = EngineError("its fuse has blown")
SECOND = (np.sin(np.arange(16000) / 5) / 3).astype(np.float32)
PIECE = SpokenPiece(AudioChunk(SECOND, 16000), "Fine.")


class AnySound(FailoverResponder):
    """A failover that takes the constants of scripted engines for sound."""

    check_sound = False


class Scripted:
    """Yields the outputs that the test lists, and raises any exception in the list."""

    def __init__(self, name: str, *outputs: Answer | Exception, **info: object) -> None:
        fields = {"name": name, "sample_rate_hz": 16000, "languages": ("en",), "slots": 2, **info}
        self.info = ResponderInfo(**fields)  # type: ignore[arg-type]
        self.outputs = outputs
        self.hold = Hold()
        self.asked: list[Question] = []

    def expect_voice(self, voice: str) -> None:
        if voice not in self.info.voices:
            raise unknown_voice(self.info.voices, voice)

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[Answer]:
        self.asked.append(question)
        for output in self.outputs:
            if isinstance(output, Exception):
                raise output
            if not isinstance(output, UserWords):
                self.hold.pass_through(cancel)
            yield output

    def close(self) -> None: ...


def answer_of(
    first: Scripted, second: Scripted, question: Question, first_output_s: float = PATIENT_S
) -> list[Answer]:
    engine = AnySound([first, second], first_output_s)
    return list(engine.respond(question, CancelToken()))


def asking(**settings: object) -> Question:
    return Question(SECOND, SessionSettings(**settings))  # type: ignore[arg-type]


def test_the_next_answers_before_the_first_sound_and_it_is_told() -> None:
    """A transcript from the first engine is not an answer, and is dropped when the second engine
    answers."""
    first = Scripted("first", UserWords("Hallo?"), BROKEN)
    second = Scripted("second", UserWords("Hello?"), PIECE)
    assert answer_of(first, second, asking()) == [
        Notice("failover", "first failed (its fuse has blown); second answers"),
        UserWords("Hello?"),
        PIECE,
    ]


def test_words_of_the_user_do_not_move_the_time_limit() -> None:
    first = Scripted("first", UserWords("Hello?"), PIECE)
    first.hold.close()
    told, answer = answer_of(first, Scripted("second", PIECE), asking(), AT_ONCE_S)
    first.hold.open()
    assert (answer, told) == (
        PIECE,
        Notice("failover", "first failed (first did not respond for 0.05 s); second answers"),
    )


def test_after_the_first_sound_an_error_is_an_error() -> None:
    second = Scripted("second", PIECE)
    with pytest.raises(EngineError, match="its fuse has blown"):
        answer_of(Scripted("first", PIECE, BROKEN), second, asking())
    assert second.asked == []


def test_words_of_the_user_are_told_even_if_there_is_no_answer() -> None:
    first = Scripted("first", UserWords("Hello?"))
    assert answer_of(first, Scripted("second", PIECE), asking()) == [UserWords("Hello?")]


def test_each_hears_the_question_at_its_own_rate() -> None:
    first, second = Scripted("first", BROKEN), Scripted("second", PIECE, sample_rate_hz=24000)
    answer_of(first, second, asking())
    assert [len(engine.asked[0].samples) for engine in (first, second)] == [16000, 24000]


def test_a_voice_and_a_language_go_to_the_one_that_has_them() -> None:
    first = Scripted("first", PIECE, voices=("low",))
    second = Scripted("second", PIECE, voices=("deep",), languages=("te",))
    engine = AnySound([first, second], PATIENT_S)
    assert (engine.info.voices, engine.info.languages) == (("low", "deep"), ("en", "te"))
    assert answer_of(first, second, asking(voice="deep")) == [PIECE]
    assert (second.asked[0].settings.voice, first.asked) == ("deep", [])
    told = Notice("language_fallback", "first does not answer in Telugu; second answers")
    assert answer_of(first, second, asking(language="te")) == [told, PIECE]
    with pytest.raises(EngineError, match="expected one of the voices low, deep, got 'nobody'"):
        answer_of(first, second, asking(voice="nobody"))


def test_one_without_the_voice_speaks_with_its_own() -> None:
    first, second = Scripted("first", BROKEN, voices=("low",)), Scripted("second", PIECE)
    told = answer_of(first, second, asking(voice="low"))[1]
    assert told == Notice("voice_fallback", "second has no voice 'low'; it speaks with its own")
    assert second.asked[0].settings.voice is None


def test_one_without_functions_gets_the_question_without_them() -> None:
    first, second = Scripted("first", BROKEN, takes_tools=True), Scripted("second", PIECE)
    messages = (
        ChatMessage("assistant", "A moment.", (ToolCall("1", "weather", "{}"),)),
        ChatMessage("tool", "rain", answers="1"),
    )
    settings = SessionSettings(tools=(Tool("weather", "", {}),))
    answer = answer_of(first, second, Question(SECOND, settings, messages=messages))
    told = Notice("tools_fallback", "second cannot call functions; it answers without them")
    assert answer[1:] == [told, PIECE]
    assert second.asked[0].settings.tools == ()
    assert second.asked[0].messages == [ChatMessage("assistant", "A moment.")]
    assert first.asked[0].messages == messages


def test_typed_text_needs_every_engine_and_frames_have_none() -> None:
    engine = FailoverResponder([ToneResponder(), ToneResponder()], 1.0)
    assert engine.info.name == "tone,tone"
    assert not isinstance(engine, FrameResponder)
    assert engine.info.frame_samples == 0
    both = [Scripted("a", takes_text=True), Scripted("b", takes_text=True)]
    assert FailoverResponder(both, 1.0).info.takes_text
    assert not FailoverResponder([both[0], Scripted("c")], 1.0).info.takes_text


def test_a_session_is_told_who_took_over_and_remembers_the_answer() -> None:
    first, second = Scripted("first", BROKEN), Scripted("second", UserWords("Hello?"), PIECE)
    with Conversation(s2s=FailoverResponder([first, second], PATIENT_S)) as conversation:
        conversation.ask()
        assert conversation.until_done(1).heard == "Fine."
        told = [(e.stage, e.code, e.text) for e in conversation.events(NoticeGiven)]
        assert told == [("s2s", "failover", "first failed (its fuse has blown); second answers")]
        assert [(e.text, e.language) for e in conversation.events(Transcript)] == [("Hello?", None)]
