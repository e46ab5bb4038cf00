"""Parler-TTS with tiny random weights. Runs in its environment only: see pytest.ini beside this file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("parler_tts", reason="runs in the environment `parler`")

import torch

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract, chunks_of
from tests.isolated.tiny_parler import tiny_parler
from TTS.parler import ParlerSynthesizer

SOME_WORDS = {"min_new_tokens": 90, "max_new_tokens": 110, "do_sample": True}
"""Steps of 12 ms: a second, since random weights know no end."""


@pytest.fixture(scope="module")
def jenny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_parler(tmp_path_factory.mktemp("hub") / "parler-mini-v1-jenny")


@pytest.fixture(scope="module")
def indic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_parler(tmp_path_factory.mktemp("hub") / "indic-parler-tts", own_tokenizer=True)


def engine_of(folder: Path, **settings: Any) -> ParlerSynthesizer:
    return ParlerSynthesizer(str(folder), "cpu", gen_kwargs=SOME_WORDS, **settings)


class TestJenny(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, jenny: Path) -> Iterator[ParlerSynthesizer]:
        engine = engine_of(jenny, play_steps_s=0.5)
        yield engine
        engine.close()


class TestIndic(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, indic: Path) -> Iterator[ParlerSynthesizer]:
        engine = engine_of(indic, play_steps_s=0.5)
        yield engine
        engine.close()


def test_what_comes_in_pieces_is_what_comes_in_one(jenny: Path) -> None:
    """Each piece decodes all that came before: the joints are those of one recording."""
    whole, pieces = engine_of(jenny, play_steps_s=10), engine_of(jenny, play_steps_s=0.25)
    torch.manual_seed(1)
    (expected,) = chunks_of(whole.synthesize("Hello.", None, None, CancelToken()))
    torch.manual_seed(1)
    streamed = chunks_of(pieces.synthesize("Hello.", None, None, CancelToken()))
    assert len(streamed) > 3
    joined = np.concatenate([chunk.samples for chunk in streamed])
    assert len(joined) == len(expected.samples)
    close = np.isclose(joined, expected.samples, atol=1e-3)
    assert close.mean() > 0.9, "but for the edges, where the codec had heard less of what follows"


def test_a_call_that_is_cancelled_stops_at_the_next_step(jenny: Path) -> None:
    engine, cancel, steps = engine_of(jenny, play_steps_s=0.25), CancelToken(), []
    engine._model.decoder.register_forward_hook(lambda *_: steps.append(1))
    speech = engine.synthesize(LONG_TEXT, None, None, cancel)
    next(speech)
    cancel.cancel()
    list(speech)
    assert len(steps) < SOME_WORDS["min_new_tokens"]


def test_names_stand_in_the_description(indic: Path) -> None:
    engine = engine_of(indic, language="te")
    assert engine._describe(None, "te").startswith("Prakash ")
    assert engine._describe(None, "hi").startswith("Rohit ")
    assert engine._describe("Lalitha", "te").startswith("Lalitha ")
    engine = engine_of(indic, style="A young man with a warm voice.")
    assert engine._describe(None, "te") == "A young man with a warm voice."
    assert engine._describe("Kiran", "te") == "Kiran speaks. A young man with a warm voice."


def test_descriptions_have_their_own_tokenizer(jenny: Path, indic: Path) -> None:
    engine = engine_of(indic)
    assert len(engine._descriptions) < len(engine._prompts)
    engine = engine_of(jenny)
    assert engine._descriptions is engine._prompts


def test_the_speakers_are_those_of_the_model(jenny: Path, indic: Path) -> None:
    assert engine_of(jenny).info.voices == ("Jenny",)
    telugu = engine_of(indic)
    assert {"Prakash", "Lalitha", "Kiran"} < set(telugu.info.voices)
    assert "te" in telugu.info.languages
    with pytest.raises(EngineError, match="one of the voices"):
        list(telugu.synthesize("Hello.", "Jenny", None, CancelToken()))


def test_compiled_it_speaks_prompts_of_every_length(
    jenny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Padded to powers of two, each of which was spoken to warm up (here only the short ones, since each
    takes seconds)."""
    monkeypatch.setattr("TTS.parler.MAX_PROMPT", 8)
    engine = ParlerSynthesizer(
        str(jenny),
        "cpu",
        compile_mode="default",
        gen_kwargs={"max_new_tokens": 12, "min_new_tokens": 10},
    )
    engine.warm_up()
    lengths = {engine._tokens(engine._prompts, "x" * n).input_ids.shape[1] for n in range(1, 300)}
    assert lengths == {4, 8, 16, 32, 64, 128, 256, 512}
    compiled = torch._dynamo.utils.counters["frames"]["total"]
    assert compiled > 0
    for characters in (1, 5, 8):
        assert chunks_of(engine.synthesize("x" * characters, None, None, CancelToken()))
    assert torch._dynamo.utils.counters["frames"]["total"] == compiled


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"voice": "Nobody"}, "--tts_voice: expected .*Jenny.*'Nobody'"),
        ({"language": "te"}, "--tts_language: expected one of en, got 'te'"),
    ],
)
def test_mistakes_are_told_at_start(jenny: Path, settings: dict[str, str], named: str) -> None:
    with pytest.raises(UserError, match=named):
        engine_of(jenny, **settings)


def test_a_model_that_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match="--tts_model_name nobody/parler"):
        ParlerSynthesizer("nobody/parler", "cpu")


def test_weights_that_are_missing_are_told(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_parler(tmp_path / "parler-mini-v1-jenny")
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "lm_heads" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="have no weights"):
        engine_of(folder)
