"""Null engines in processes of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from catalogue.registry import EngineRow
from engines.isolation.engines import (
    IsolatedChatModel,
    IsolatedRecognizer,
    IsolatedStreamer,
    IsolatedSynthesizer,
    isolate,
)
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken

STT = EngineRow("stt", "null", "counts", "testing.null_engines:NullRecognizer")
STREAMER = EngineRow("stt", "null", "counts as it comes", "testing.null_engines:NullStreamer")
LLM = EngineRow("llm", "null", "repeats", "testing.null_engines:NullChatModel")
TTS = EngineRow("tts", "null", "hums", "testing.null_engines:NullSynthesizer")


@contextmanager
def synthesizer(
    row: EngineRow = TTS, limits: Any = None, **settings: Any
) -> Iterator[IsolatedSynthesizer]:
    """One that is closed in the end."""
    engine = isolate(row, settings, "cpu", **(limits or {}))
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def recognizer(row: EngineRow = STT) -> Iterator[IsolatedRecognizer]:
    """One that is closed in the end."""
    engine = isolate(row, {}, "cpu")
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def streamer(row: EngineRow = STREAMER, **settings: Any) -> Iterator[IsolatedStreamer]:
    """One that is closed in the end."""
    engine = isolate(row, settings, "cpu")
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def chat_model(row: EngineRow = LLM) -> Iterator[IsolatedChatModel]:
    """One that is closed in the end."""
    engine = isolate(row, {}, "cpu")
    try:
        yield engine
    finally:
        engine.close()


def say(engine: IsolatedSynthesizer, text: str, cancel: CancelToken | None = None) -> int:
    """How many pieces of audio came of it."""
    results = engine.synthesize(text, None, None, cancel or CancelToken())
    return sum(isinstance(result, AudioChunk) for result in results)
