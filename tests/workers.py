"""Null engines in their own processes."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from catalog.registry import EngineSpec
from engines.isolation.engines import (
    IsolatedChatModel,
    IsolatedDuplexModel,
    IsolatedRecognizer,
    IsolatedResponder,
    IsolatedStreamer,
    IsolatedSynthesizer,
    isolate,
)
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken

STT = EngineSpec("stt", "null", "counts", "testing.null_engines:NullRecognizer")
STREAMER = EngineSpec("stt", "null", "counts as it comes", "testing.null_engines:NullStreamer")
LLM = EngineSpec("llm", "null", "repeats", "testing.null_engines:NullChatModel")
TTS = EngineSpec("tts", "null", "hums", "testing.null_engines:NullSynthesizer")

S2S = EngineSpec("s2s", "null", "repeats", "testing.null_engines:NullResponder")
DUPLEX = EngineSpec("s2s", "null", "echoes", "testing.null_engines:NullDuplexModel", duplex=True)

PATIENT: Any = {"wait_s": 60.0}
"""Time that a call waits for a new process: a busy machine needs more than a user would wait."""


@contextmanager
def synthesizer(
    spec: EngineSpec = TTS, limits: Any = None, **settings: Any
) -> Iterator[IsolatedSynthesizer]:
    """A synthesizer, closed at the end."""
    with closing(isolate(spec, settings, "cpu", **(limits or PATIENT))) as engine:
        yield engine


@contextmanager
def recognizer(spec: EngineSpec = STT) -> Iterator[IsolatedRecognizer]:
    """A recognizer, closed at the end."""
    with closing(isolate(spec, {}, "cpu", **PATIENT)) as engine:
        yield engine


@contextmanager
def streamer(spec: EngineSpec = STREAMER, **settings: Any) -> Iterator[IsolatedStreamer]:
    """A streaming recognizer, closed at the end."""
    with closing(isolate(spec, settings, "cpu", **PATIENT)) as engine:
        yield engine


@contextmanager
def chat_model(spec: EngineSpec = LLM) -> Iterator[IsolatedChatModel]:
    """A chat model, closed at the end."""
    with closing(isolate(spec, {}, "cpu", **PATIENT)) as engine:
        yield engine


@contextmanager
def responder(spec: EngineSpec = S2S) -> Iterator[IsolatedResponder]:
    """A turn-by-turn engine, closed at the end."""
    with closing(isolate(spec, {}, "cpu", **PATIENT)) as engine:
        yield engine


@contextmanager
def duplex_model(spec: EngineSpec = DUPLEX, **settings: Any) -> Iterator[IsolatedDuplexModel]:
    """A full-duplex model, closed at the end."""
    with closing(isolate(spec, settings, "cpu", **PATIENT)) as engine:
        yield engine


def say(engine: IsolatedSynthesizer, text: str, cancel: CancelToken | None = None) -> int:
    """Speak a text and return the number of pieces of audio."""
    results = engine.synthesize(text, None, None, cancel or CancelToken())
    return sum(isinstance(result, AudioChunk) for result in results)
