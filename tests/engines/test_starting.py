"""Starting an engine: the first call of each kind is made before any user's."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.registry import EngineSpec
from engines.isolation.engines import isolate
from engines.starting import FRAMES, TEXT, start
from pipeline.errors import EngineError, UserError
from pipeline.settings import SessionSettings
from testing.fakes import LoudnessStreamer, ScriptedModel, ScriptedRecognizer, ScriptedSynthesizer
from testing.null_engines import NullDuplexModel, NullDuplexStream


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


def test_in_a_process_of_its_own_too() -> None:
    cold = EngineSpec("tts", "null", "hums", "testing.null_engines:ColdSynthesizer")
    with pytest.raises(UserError, match="the first call failed"):
        isolate(cold, {}, "cpu")
