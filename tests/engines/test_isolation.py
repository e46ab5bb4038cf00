"""Engines in processes of their own: they are engines like any other."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from catalog.registry import find
from engines.isolation import codec, framing
from engines.isolation.engines import (
    IsolatedChatModel,
    IsolatedRecognizer,
    IsolatedSynthesizer,
    isolate,
)
from pipeline.errors import EngineError
from pipeline.messages import AudioChunk, ChatMessage, Notice, Recording, Samples, ToolCall
from pipeline.settings import Tool
from pipeline.turn import CancelToken
from testing.contracts import ChatModelContract, RecognizerContract, SynthesizerContract
from tests.speech import spoken
from tests.workers import chat_model, recognizer, say, synthesizer

QUESTION = "What is the weather like in London today?"


class TestNullRecognizer(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedRecognizer]:
        with recognizer() as engine:
            yield engine

    @pytest.fixture
    def spoken(self) -> Samples:
        return np.full(100, 0.5, np.float32)

    def test_the_samples_arrive_and_all_of_the_answer(
        self, engine: IsolatedRecognizer, spoken: Samples
    ) -> None:
        heard = engine.transcribe(spoken, "te", CancelToken())
        assert (heard.text, heard.language) == ("100 50.0", "te")
        assert heard.notices == (Notice("counted", "it counted"),)
        assert engine.transcribe(spoken[::2], None, CancelToken()).language == "en-auto"
        assert (spoken == 0.5).all(), "what the engine does to them is its own business"


class TestNullChatModel(ChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedChatModel]:
        with chat_model() as engine:
            yield engine

    def test_functions_and_what_they_gave_arrive(self, engine: IsolatedChatModel) -> None:
        schema = {"type": "object", "required": ["city"], "properties": {}}
        call = ToolCall("1", "weather", '{"city": "Pune"}')
        messages = [
            ChatMessage("assistant", "", (call,)),
            ChatMessage("tool", "sunny", answers="1"),
            ChatMessage("user", "నమస్తే \ud83d"),  # half an emoji, as some servers cut them
        ]
        tools = [Tool("weather", "tells it", schema)]
        asked, told, *words = engine.generate(messages, CancelToken(), tools, "weather")
        assert asked == ToolCall("weather", "weather", str(schema))
        assert told == Notice("called", str(tuple(messages)))
        assert words == ["నమస్తే ", "\ud83d "]

    def test_what_was_said_is_heard(self, engine: IsolatedChatModel) -> None:
        said = Recording(np.full(100, 0.5, np.float32), 16000)
        messages = [ChatMessage("system", "Listen."), ChatMessage("user", "(spoken)", audio=said)]
        assert engine.info.hears
        assert list(engine.generate(messages, CancelToken())) == ["100 50.0 16000 ", "(spoken) "]


class TestNullSynthesizer(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedSynthesizer]:
        with synthesizer() as engine:
            yield engine

    @pytest.mark.parametrize("voice", ["low", "high"])
    def test_voices_words_and_notices_arrive(self, engine: IsolatedSynthesizer, voice: str) -> None:
        notice, chunk = engine.synthesize("Hello.", voice, "fr", CancelToken())
        assert notice == Notice("language_fallback", "no fr")
        assert isinstance(chunk, AudioChunk)
        assert set(chunk.samples) == {0.5 if voice == "high" else 0.25}
        assert [(word.chars, word.sample) for word in chunk.words] == [(0, 8)]

    def test_it_says_what_it_is_and_that_it_is_alone(self, engine: IsolatedSynthesizer) -> None:
        assert engine.info.device == "nothing at all, in a process of its own"
        assert engine.pid != os.getpid()

    def test_a_voice_that_it_does_not_state_is_asked_for(self, engine: IsolatedSynthesizer) -> None:
        engine.expect_voice("unlisted")


class TestMoonshine(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedRecognizer]:
        pytest.importorskip("moonshine_voice", reason="Moonshine has no wheel for this machine")
        with recognizer(find("stt", "moonshine")) as engine:
            yield engine

    @pytest.fixture
    def spoken(self) -> Samples:
        return spoken(QUESTION)


class TestEliza(ChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedChatModel]:
        with chat_model(find("llm", "eliza")) as engine:
            yield engine


class TestEspeak(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[IsolatedSynthesizer]:
        with synthesizer(find("tts", "espeak")) as engine:
            yield engine

    def test_it_is_the_same_in_every_language(self, engine: IsolatedSynthesizer) -> None:
        from TTS.espeak import EspeakSynthesizer

        bare = EspeakSynthesizer()
        assert engine.info.voices == bare.info.voices
        assert engine.info.languages == bare.info.languages
        for language in ("en", "te"):
            (isolated,) = engine.synthesize("One two three.", None, language, CancelToken())
            (expected,) = bare.synthesize("One two three.", None, language, CancelToken())
            assert isinstance(isolated, AudioChunk)
            length = len(expected.samples)
            assert len(isolated.samples) == pytest.approx(length, rel=0.01), "it varies"
            assert [w.chars for w in isolated.words] == [w.chars for w in expected.words]


def test_a_call_that_was_cancelled_before_it_began_yields_nothing() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with synthesizer() as engine:
        assert say(engine, "one two", cancel) == 0
        assert say(engine, "one two") == 2


@pytest.mark.parametrize("text", ["wait", "one wait"])
def test_a_call_that_is_cancelled_ends_and_frees_the_only_slot(text: str) -> None:
    cancel = CancelToken()
    with synthesizer(slots=1) as engine:
        speech = engine.synthesize(text, None, None, cancel)
        for _ in text.split():
            next(speech)
        cancel.cancel()
        assert list(speech) == []
        assert say(engine, "one two") == 2


def test_several_calls_at_once_get_each_their_own() -> None:
    with synthesizer(slots=2) as engine:
        cancel = CancelToken()
        waiting = engine.synthesize("one wait", None, None, cancel)
        assert [next(waiting), next(waiting)], "one, wait"
        assert say(engine, "one two three") == 3, "while the other one waits"
        cancel.cancel()
        assert list(waiting) == []


def test_what_libraries_print_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with synthesizer(at_start="print") as engine:
        assert say(engine, "print one") == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.count("to standard output\nand past Python\nand from a child\n") == 2


def test_a_thousand_calls_leave_no_thread_and_no_descriptor() -> None:
    with synthesizer() as engine:

        def call() -> None:
            for number in range(250):
                if number % 3:
                    assert say(engine, "one two") == 2
                else:
                    speech = engine.synthesize("one two three", None, None, CancelToken())
                    next(speech)
                    speech.close()

        say(engine, "one")
        before = footprint(engine.pid)
        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert say(engine, "one") == 1
        here, there = footprint(engine.pid)
        assert here < before[0] + 100, "threads of other tests may come and go; a leak leaves a thousand"
        assert there <= before[1] + 3, "the threads of the other slots"


def test_nothing_is_left_when_it_is_closed() -> None:
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with synthesizer() as engine:
            say(engine, "one")
    for thread in threading.enumerate():
        if thread.name.startswith("worker"):
            thread.join(60)
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) <= before


def footprint(worker: int | None) -> tuple[int, int]:
    """Threads and descriptors of this process, and of the worker."""
    here, there = (
        len(os.listdir(f"/proc/{pid}/fd")) + len(os.listdir(f"/proc/{pid}/task"))
        for pid in ("self", worker)
    )
    return here, there


class TestFrames:
    def test_they_come_out_as_they_went_in(self) -> None:
        pipe = io.BytesIO()
        sent: list[tuple[dict[str, Any], bytes | bytearray]]
        sent = [({"is": "a", "text": "\ud83d నమస్తే"}, b""), ({"is": "b"}, bytes(range(256)))]
        for header, body in sent:
            framing.write(pipe, header, body)
        pipe.seek(0)
        assert [framing.read(pipe) for _ in sent] == sent
        with pytest.raises(EOFError):
            framing.read(pipe)

    def test_one_that_is_cut_off_is_the_end(self) -> None:
        pipe = io.BytesIO()
        framing.write(pipe, {"is": "a"}, b"samples")
        whole = pipe.getvalue()
        for length in range(len(whole)):
            with pytest.raises(EOFError):
                framing.read(io.BytesIO(whole[:length]))

    @pytest.mark.parametrize(
        "garbage",
        [
            b"Downloading weights: 100 %\n",
            framing.MAGIC + b"\xff" * 8,
            framing.MAGIC + b"\x01\0\0\0\0\0\0\0{",
        ],
    )
    def test_anything_else_is_none(self, garbage: bytes) -> None:
        with pytest.raises(framing.NoFrame):
            framing.read(io.BytesIO(garbage))


def test_values_come_out_as_they_went_in() -> None:
    given = ("text", None, True, 1.5, (ToolCall("1", "f", "{}"),), Tool("f", "does", {"a": [1, {}]}))
    packed, body = codec.pack(given)
    assert body == b""
    assert codec.unpack(packed, body) == given


def test_samples_may_stand_anywhere() -> None:
    first, second = np.arange(4, dtype=np.float32), np.arange(3, dtype=np.float64)
    packed, body = codec.pack([first[::2], "between", second, np.empty(0, np.float32)])
    unpacked = codec.unpack(packed, body)
    assert [list(samples) for samples in unpacked[::2]] == [[0, 2], [0, 1, 2]]
    assert len(unpacked[3]) == 0
    assert unpacked[2].dtype == np.float32


def test_an_error_of_the_engine_arrives_with_its_code() -> None:
    with synthesizer() as engine, pytest.raises(EngineError, match="does not want to") as caught:
        say(engine, "refuse")
    assert caught.value.code == "unwilling"


def test_an_error_that_nobody_expected_arrives_without_its_text(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with synthesizer() as engine:
        with pytest.raises(EngineError, match=r"failed unexpectedly \(ValueError\)") as caught:
            say(engine, "break")
        assert say(engine, "one") == 1
    assert caught.value.code == "internal_error"
    said = str(caught.value) + capfd.readouterr().err
    assert "null_engines.py" in said
    assert "BREAK" not in said, "the text of the error, which may hold what was said"


def test_an_engine_whose_server_computes_names_no_device() -> None:
    where = {"base_url": "http://127.0.0.1:9/v1", "model_name": "away"}
    with closing(isolate(find("llm", "openai"), where, "cpu")) as engine:
        assert engine.info.device == ""
