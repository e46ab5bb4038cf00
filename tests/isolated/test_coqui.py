"""Coqui TTS with tiny random weights. Runs in its environment only: see pytest.ini beside this file."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("TTS.api", reason="runs in the environment `coqui`")

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract, chunks_of
from tests.isolated.tiny_coqui import small_decoder, tiny_vits, tiny_xtts


def engine_class() -> Any:
    """From its file, since our package TTS is hidden by Coqui's, as in a worker."""
    file = Path(__file__).parents[2] / "TTS" / "coqui.py"
    spec = importlib.util.spec_from_file_location("own_TTS_coqui", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["own_TTS_coqui"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CoquiSynthesizer


CoquiSynthesizer = engine_class()


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vits(tmp_path_factory.mktemp("models") / "vits")


@pytest.fixture(scope="module")
def xtts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("TTS.tts.models.xtts.HifiDecoder", small_decoder())
        yield tiny_xtts(tmp_path_factory.mktemp("models") / "xtts")


class TestVits(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, vits: Path) -> Iterator[Any]:
        engine = CoquiSynthesizer(str(vits), "cpu")
        yield engine
        engine.close()


class TestXttsPatchedToASmallDecoder(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, xtts: Path) -> Iterator[Any]:
        engine = CoquiSynthesizer(str(xtts), "cpu")
        yield engine
        engine.close()


def test_languages_and_voices_are_those_of_the_model(vits: Path, xtts: Path) -> None:
    engine = CoquiSynthesizer(str(vits), "cpu")
    assert (engine.info.languages, engine.info.voices) == (("en",), ())
    engine = CoquiSynthesizer(str(xtts), "cpu", language="de")
    assert engine.info.voices == ("Ana Florence", "Damien Black")
    assert {"en", "de", "zh", "hi"} < set(engine.info.languages)
    assert chunks_of(engine.synthesize("Guten Tag.", None, "de", CancelToken()))


def test_xtts_streams_and_stops_between_two_pieces(xtts: Path) -> None:
    engine, cancel = CoquiSynthesizer(str(xtts), "cpu"), CancelToken()
    sentence = "This is one sentence and it goes on for a while"
    assert len(chunks_of(engine.synthesize(sentence, None, None, CancelToken()))) > 1
    speech = engine.synthesize(sentence, None, None, cancel)
    next(speech)
    cancel.cancel()
    assert list(speech) == []


def test_xtts_clones_a_voice_patched_to_read_the_recording_with_soundfile(
    xtts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torchaudio reads with torchcodec, which is not usable everywhere where tests run."""
    import soundfile
    import torch
    import torchaudio

    noise = np.random.default_rng(0).normal(0, 0.1, 3 * 22050)
    soundfile.write(tmp_path / "me.wav", noise, 22050)

    def load(path: str) -> tuple[Any, int]:
        samples, rate_hz = soundfile.read(path, dtype="float32")
        return torch.from_numpy(samples)[None], rate_hz

    monkeypatch.setattr(torchaudio, "load", load)
    engine = CoquiSynthesizer(str(xtts), "cpu", clone=str(tmp_path / "me.wav"))
    assert chunks_of(engine.synthesize("Hello.", None, None, CancelToken()))
    assert chunks_of(engine.synthesize("Hello.", "Damien Black", None, CancelToken()))


def test_one_sentence_after_the_other(vits: Path) -> None:
    engine = CoquiSynthesizer(str(vits), "cpu")
    assert len(chunks_of(engine.synthesize(LONG_TEXT, None, None, CancelToken()))) == 20


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"voice": "Nobody"}, "--tts_voice: expected .*Damien Black.*'Nobody'"),
        ({"language": "te"}, "--tts_language: expected one of .*'te'"),
        ({"clone": "nowhere.wav"}, "--tts_clone: .*no file nowhere.wav"),
    ],
)
def test_mistakes_are_told_at_start(xtts: Path, settings: dict[str, str], named: str) -> None:
    with pytest.raises(UserError, match=named):
        CoquiSynthesizer(str(xtts), "cpu", **settings)


def test_a_model_that_clones_nothing_says_so(vits: Path) -> None:
    with pytest.raises(UserError, match=r"--tts_clone: .*cannot clone voices"):
        CoquiSynthesizer(str(vits), "cpu", clone="me.wav")


def test_a_voice_that_is_not_there_is_an_error_of_its_turn(xtts: Path) -> None:
    with pytest.raises(EngineError, match="one of the voices"):
        next(CoquiSynthesizer(str(xtts), "cpu").synthesize("Hello.", "Nobody", None, CancelToken()))


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("tts_models/de/thorsten/vit", "such as tts_models/de/thorsten/vits"),
        ("tts_models/multilingual/multi-dataset/xtts_v2", "set COQUI_TOS_AGREED=1"),
    ],
)
def test_models_that_are_missing_are_told(
    name: str, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("COQUI_TOS_AGREED", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(UserError, match=named):
        CoquiSynthesizer(name, "cpu")
