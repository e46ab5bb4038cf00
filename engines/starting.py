"""Starting an engine: on its device, and warm. In the program, or in a worker."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk, ChatMessage
from pipeline.settings import SessionSettings
from pipeline.sound_check import SoundCheck
from pipeline.turn import CancelToken
from S2S.base import Question, SpokenPiece
from utils.device import with_device
from utils.logs import quieten_libraries

TEXT = "Hello."
FRAMES = 4
"""Frames of warm-up for each state of a full-duplex model, which compiles in the first and may capture
CUDA graphs in the next ones."""
NOISE_RMS = 0.01
"""Silence would not do: some recognizers skip it."""


def start(
    engine_class: Callable[..., Any],
    settings: Mapping[str, Any],
    device: str,
    stage: str,
    devices: Sequence[str],
) -> Any:
    """The engine, ready for its first caller. `device` is that of ``--device``, `devices` are those on
    which the engine can run. Raises `UserError`."""
    quieten_libraries()
    engine = engine_class(**with_device(dict(settings), device, stage, devices))
    if "remote" not in devices:
        try:
            warm_up(engine)
        except EngineError as error:
            raise UserError(f"--{stage}: {engine.info.name} does not work: {error}") from error
    return engine


def warm_up(engine: Any) -> None:
    """Make the first call, which is the slowest, so that no user waits for it.

    An engine that needs another kind of call has a method `warm_up` of its own.
    """
    cancel = CancelToken()
    if hasattr(engine, "warm_up"):
        engine.warm_up()
    elif hasattr(engine, "transcribe"):
        if chunk := engine.info.chunk_samples:
            stream = engine.open(None)
            stream.feed(_noise(2 * chunk), cancel)
            stream.finish(cancel)
        else:
            engine.transcribe(_noise(engine.info.sample_rate_hz), None, cancel)
    elif hasattr(engine, "generate"):
        for _ in engine.generate([ChatMessage("user", TEXT)], cancel):
            cancel.cancel()
    elif hasattr(engine, "synthesize"):
        for output in engine.synthesize(TEXT, None, None, cancel):
            _expect_sound(engine, output)
            cancel.cancel()
    elif hasattr(engine, "respond"):
        question = Question(_noise(engine.info.sample_rate_hz), SessionSettings())
        for output in engine.respond(question, cancel):
            _expect_sound(engine, output)
            cancel.cancel()
    elif hasattr(engine, "open"):
        streams = [engine.open(SessionSettings()) for _ in range(engine.info.slots)]
        for stream in streams:
            for _ in range(FRAMES):
                samples, _ = stream.answer(_noise(engine.info.frame_samples))
                _expect_sound(engine, AudioChunk(samples, engine.info.sample_rate_hz))
            stream.close()


def _expect_sound(engine: Any, output: Any) -> None:
    """Raise `BadAudio` if the first audio is not sound, such as NaN from damaged weights."""
    chunk = output.audio if isinstance(output, SpokenPiece) else output
    if isinstance(chunk, AudioChunk):
        SoundCheck(engine.info.name).take(chunk.samples, chunk.sample_rate_hz)


def _noise(samples: int) -> Any:
    return np.random.default_rng(0).normal(0, NOISE_RMS, samples).astype(np.float32)
