"""Starting an engine: the first call of each kind is made before any user's."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from catalog.registry import EngineSpec
from engines.isolation.engines import isolate
from engines.starting import FRAMES, TEXT, start
from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk
from pipeline.settings import SessionSettings
from S2S.base import Answer
from testing.fakes import LoudnessStreamer, ScriptedModel, ScriptedRecognizer, ScriptedSynthesizer
from testing.null_engines import NullDuplexModel, NullDuplexStream
from testing.scripted_responder import ScriptedResponder, said


@pytest.mark.parametrize(
    ("engine_class", "first_calls"),
    [
        (ScriptedRecognizer, lambda engine: [len(heard) for heard in engine.heard] == [16000]),
        (LoudnessStreamer, lambda engine: engine.fed == [2 * 3200] and not engine.heard),
        (ScriptedModel, lambda engine: [m[0].content for m in engine.prompts] == [TEXT]),
        (ScriptedSynthesizer, lambda engine: engine.spoken == [TEXT]),
    ],
)
def test_every_kind_of_engine_is_called_once(
    engine_class: type, first_calls: Callable[[Any], bool]
) -> None:
    assert first_calls(start(engine_class, {}, "cpu", "any", ("cpu",)))


def test_each_state_of_a_duplex_model_gets_its_first_frames_and_is_free_again() -> None:
    opened = []

    class Watched(NullDuplexModel):
        def open(self, settings: SessionSettings) -> NullDuplexStream:
            opened.append(super().open(settings))
            return opened[-1]

    engine = start(Watched, {}, "cpu", "s2s", ("cpu",))
    assert [stream.count for stream in opened] == [FRAMES, FRAMES]
    assert engine.taken == 0


def test_a_server_is_not_asked() -> None:
    assert start(ScriptedModel, {}, "cpu", "llm", ("remote",)).prompts == []


class Own(ScriptedSynthesizer):
    def warm_up(self) -> None:
        self.told.append("its own way")


def test_an_engine_may_have_its_own_way() -> None:
    engine = start(Own, {}, "cpu", "tts", ("cpu",))
    assert (engine.told, engine.spoken) == (["its own way"], [])


class Broken(ScriptedSynthesizer):
    def warm_up(self) -> None:
        raise EngineError("its voices are missing", "no_voice")


def test_an_engine_that_fails_at_once_is_a_mistake_explained() -> None:
    with pytest.raises(UserError, match="--tts: scripted-tts does not work: its voices are missing"):
        start(Broken, {}, "cpu", "tts", ("cpu",))


class NotANumber(ScriptedSynthesizer):
    def synthesize(self, *_: object) -> Iterator[AudioChunk]:
        yield AudioChunk(np.full(1600, np.nan, np.float32), 16000)


class NotANumberAnswer(ScriptedResponder):
    def respond(self, *_: object) -> Iterator[Answer]:
        yield said(None, level=np.nan)


class NotANumberFrame(NullDuplexModel):
    def open(self, settings: SessionSettings) -> NullDuplexStream:
        stream = super().open(settings)
        stream.answer = lambda frame: (frame * np.nan, None)  # type: ignore[method-assign]
        return stream


@pytest.mark.parametrize(
    ("stage", "engine_class"),
    [("tts", NotANumber), ("s2s", NotANumberAnswer), ("s2s", NotANumberFrame)],
)
def test_a_model_whose_first_audio_is_not_a_number_does_not_start(
    stage: str, engine_class: type
) -> None:
    told = f"--{stage}: .* does not work: expected speech from .*, got samples that are not numbers"
    with pytest.raises(UserError, match=told):
        start(engine_class, {}, "cpu", stage, ("cpu",))


def test_in_a_process_of_its_own_too() -> None:
    cold = EngineSpec("tts", "null", "hums", "testing.null_engines:ColdSynthesizer")
    with pytest.raises(UserError, match="the first call failed"):
        isolate(cold, {}, "cpu")
