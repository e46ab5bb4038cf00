"""Recognizers that stream, in a process of their own: they stream there, too."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from catalog.registry import find
from engines.isolation.engines import IsolatedStreamer
from pipeline.errors import EngineError
from pipeline.events import ErrorEvent, PartialTranscript, Transcript
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.turn import CancelToken
from STT.base import StreamingRecognizer
from testing.contracts import StreamingRecognizerContract
from testing.conversation import Conversation
from testing.hold import Hold
from tests.engines.test_isolation_faults import PATIENCE_S, ends
from tests.speech import spoken
from tests.workers import recognizer, streamer

SOUND = np.full(1600, 0.5, np.float32)


class TestNemotron(StreamingRecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IsolatedStreamer]:
        pytest.importorskip("torch", reason="pip install -e '.[nemotron]'")
        from testing.tiny_recognizers import tiny_nemotron

        folder = tiny_nemotron(tmp_path_factory.mktemp("nemotron"))
        with streamer(
            find("stt", "nemotron"), model_name=str(folder), device="cpu", latency_ms=160
        ) as engine:
            yield engine

    @pytest.fixture
    def spoken(self) -> Samples:
        return spoken("What is the weather like in London today?")


@pytest.fixture
def engine() -> Iterator[IsolatedStreamer]:
    with streamer() as engine:
        yield engine


def held(engine: Any) -> Any:
    """The engine with a hold, which a conversation opens at its end."""
    engine.hold = Hold()
    return engine


def test_one_that_does_not_stream_does_not_look_as_if_it_did(engine: IsolatedStreamer) -> None:
    assert isinstance(engine, StreamingRecognizer)
    with recognizer() as other:
        assert not isinstance(other, StreamingRecognizer)


def test_streams_that_nobody_wants_any_more_are_forgotten(engine: IsolatedStreamer) -> None:
    cancelled = CancelToken()
    cancelled.cancel()
    for number in range(1000):
        stream = engine.open("whole" if number % 2 else None)
        if number % 3:
            stream.feed(SOUND, cancelled if number % 5 else CancelToken())
        other = stream.fork()
        assert (other is None) == (number % 2 == 1)
        if other is not None and number % 4:
            other.finish(CancelToken())
    del stream, other
    assert engine.open(None).finish(CancelToken()).text == "0 samples, 1 streams"


def test_one_that_is_forgotten_leaves_the_others(engine: IsolatedStreamer) -> None:
    stream = engine.open(None)
    stream.feed(SOUND, CancelToken())
    fork = stream.fork()
    assert fork is not None
    del stream
    assert fork.feed(SOUND, CancelToken()) == "3200"
    assert fork.finish(CancelToken()).text == "3200 samples, 1 streams"


def test_an_error_of_a_stream_is_its_own(engine: IsolatedStreamer) -> None:
    unwilling, other = engine.open("refuse"), engine.open(None)
    with pytest.raises(EngineError, match="does not want to") as caught:
        unwilling.feed(SOUND, CancelToken())
    assert caught.value.code == "unwilling"
    assert other.feed(SOUND, CancelToken()) == "1600"


def test_a_piece_that_is_cancelled_ends(engine: IsolatedStreamer) -> None:
    """The engine waits with it for ever, or until it is."""
    stream, cancel, heard = engine.open("wait"), CancelToken(), []
    feeding = threading.Thread(target=lambda: heard.append(stream.feed(SOUND, cancel)))
    feeding.start()
    cancel.cancel()
    feeding.join(PATIENCE_S)
    assert heard == [""]
    assert engine.open(None).feed(SOUND, CancelToken()) == "1600"


def test_streams_of_a_process_that_died_fail_and_new_ones_do_not(engine: IsolatedStreamer) -> None:
    fatal, other = engine.open("kill"), engine.open(None)
    first = engine.pid
    with pytest.raises(EngineError) as caught:
        fatal.feed(SOUND, CancelToken())
    assert caught.value.code == "engine_died"
    again = engine.open(None)
    assert engine.pid != first
    assert again.feed(SOUND, CancelToken()) == "1600", "it waited for the new one"
    for lost in (fatal, other):
        with pytest.raises(EngineError, match="ended"):
            lost.feed(SOUND, CancelToken())
        with pytest.raises(EngineError, match="ended"):
            lost.fork()
    del fatal, other, lost
    assert again.finish(CancelToken()).text == "1600 samples, 1 streams"


def test_a_conversation_goes_on_when_the_process_of_its_stream_dies(engine: IsolatedStreamer) -> None:
    with Conversation(stt=held(engine), endpointing=EndpointerSettings(speculate=False)) as talk:
        talk._mail = talk.session.events.subscribe(live=(PartialTranscript,))
        talk.speak(1000)
        assert any(isinstance(event, PartialTranscript) for event in talk.events())
        assert engine.pid is not None
        first = engine.pid
        os.kill(first, signal.SIGKILL)
        assert ends(first)
        talk.wait(3000)
        with contextlib.suppress(EngineError):
            engine.open(None)  # the new process is waited for
        (told,) = (event for event in talk.events() if isinstance(event, Transcript | ErrorEvent))
        assert isinstance(told, Transcript) or told.code == "engine_died"
        talk.speak(1000)
        talk.wait(3000)
        (heard,) = (event for event in talk.events() if isinstance(event, Transcript))
        assert heard.text.endswith(" streams"), "it was heard as it was said"


def test_who_goes_on_behind_a_guess_that_failed_is_heard_at_once(engine: IsolatedStreamer) -> None:
    # a chunk of a second, so nothing more is fed to the stream that was lost
    engine.info = replace(engine.info, chunk_samples=engine.info.sample_rate_hz)
    with Conversation(stt=held(engine), endpointing=EndpointerSettings()) as talk:
        talk.speak(800)
        assert engine.pid is not None
        first = engine.pid
        os.kill(first, signal.SIGKILL)
        assert ends(first)
        talk.wait(128)
        talk.speak(64)
        talk.wait(1000)
        (heard,) = (event for event in talk.events() if isinstance(event, Transcript))
        assert "streams" not in heard.text
