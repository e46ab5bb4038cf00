"""Piper over toy graphs of the right signature, in a folder as on the hub."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("piper", reason="no wheel for this machine")
pytest.importorskip("onnx", reason="pip install onnx")

import onnx

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from testing.contracts import SynthesizerContract
from tests.extras.toy_onnx import toy_synthesizer
from TTS.piper import KEPT, PiperSynthesizer

_PHONEMES = "_^$ abcdefghijklmnopqrstuvwxyzæðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒʔʰˈˌːθᵻ.,!?"
_VOICES = {
    "en_US-lessac-medium": ("en-us", 22050),
    "en_US-ryan-low": ("en-us", 16000),
    "te_IN-padmavathi-medium": ("te", 22050),
    "de_DE-thorsten-medium": ("de", 22050),
    "fr_FR-siwis-medium": ("fr", 22050),
    "es_MX-ald-medium": ("es", 22050),
}


def voice(folder: Path, name: str) -> str:
    espeak, rate_hz = _VOICES[name]
    region, speaker, quality = name.split("-")
    file = f"{region[:2]}/{region}/{speaker}/{quality}/{name}.onnx"
    toy_synthesizer(
        folder / file,
        tokens="input",
        tokens_shape=[1, "n"],
        others={
            "input_lengths": (onnx.TensorProto.INT64, [1]),
            "scales": (onnx.TensorProto.FLOAT, [3]),
        },
        samples_a_token=rate_hz // 40,
        output="output",
        output_shape=[1, 1, 1, -1],
    )
    about = {
        "audio": {"sample_rate": rate_hz},
        "espeak": {"voice": espeak},
        "phoneme_type": "espeak",
        "num_symbols": len(_PHONEMES),
        "num_speakers": 1,
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_id_map": {phoneme: [i] for i, phoneme in enumerate(_PHONEMES)},
        "speaker_id_map": {},
    }
    (folder / f"{file}.json").write_text(json.dumps(about))
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("piper-voices")
    files: dict[str, Any]
    files = {name: {"files": {voice(folder, name): {}, "MODEL_CARD": {}}} for name in _VOICES}
    (folder / "voices.json").write_text(json.dumps(files))
    return folder


@pytest.fixture(scope="module")
def synthesizer(folder: Path) -> PiperSynthesizer:
    return PiperSynthesizer(str(folder))


class TestPiper(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: PiperSynthesizer) -> PiperSynthesizer:
        return synthesizer


def say(
    engine: PiperSynthesizer, text: str, voice: str | None = None, language: str | None = None
) -> np.ndarray:
    chunks = list(engine.synthesize(text, voice, language, CancelToken()))
    assert {chunk.sample_rate_hz for chunk in chunks} == {engine.info.sample_rate_hz}
    return np.concatenate([chunk.samples for chunk in chunks])


def test_voices_and_languages_are_those_of_the_catalog(synthesizer: PiperSynthesizer) -> None:
    assert set(synthesizer.info.voices) == set(_VOICES)
    assert synthesizer.info.languages == ("de", "en", "es", "fr", "te")


def test_each_sentence_is_a_chunk(synthesizer: PiperSynthesizer) -> None:
    assert len(list(synthesizer.synthesize("Hello world. Another.", None, None, CancelToken()))) == 2


def test_a_language_has_its_voice_and_few_stay_loaded(folder: Path) -> None:
    engine = PiperSynthesizer(str(folder))
    for language, text in (("te", "నమస్కారం"), ("de", "Hallo"), ("fr", "Bonjour"), ("es", "Hola")):
        assert len(say(engine, text, language=language))
    loaded = engine._loaded.cache_info()
    assert (loaded.misses, loaded.currsize) == (5, KEPT)
    say(engine, "Hallo", language="de")
    assert engine._loaded.cache_info().misses == 5


def test_a_voice_of_another_rate_is_resampled(synthesizer: PiperSynthesizer) -> None:
    usual, low = say(synthesizer, "Hello."), say(synthesizer, "Hello.", "en_US-ryan-low")
    assert len(low) == pytest.approx(len(usual), rel=0.02)


def test_a_chosen_voice_is_kept_whatever_the_language(folder: Path) -> None:
    engine = PiperSynthesizer(str(folder), voice="en_US-ryan-low")
    say(engine, "Bonjour", language="fr")
    assert engine._loaded.cache_info().misses == 1


def test_a_folder_without_a_catalog_offers_what_it_holds(tmp_path: Path) -> None:
    voice(tmp_path, "de_DE-thorsten-medium")
    engine = PiperSynthesizer(str(tmp_path), language="de")
    assert engine.info.voices == ("de_DE-thorsten-medium",)
    assert engine.info.languages == ("de",)


def test_a_voice_that_cannot_be_loaded_is_an_error_of_its_turn(tmp_path: Path) -> None:
    files = {
        "en_US-ryan-low": voice(tmp_path, "en_US-ryan-low"),
        "it_IT-paola-medium": "it/not/there.onnx",
    }
    listed: dict[str, Any] = {name: {"files": {file: {}}} for name, file in files.items()}
    (tmp_path / "voices.json").write_text(json.dumps(listed))
    engine = PiperSynthesizer(str(tmp_path))
    with pytest.raises(EngineError, match="it_IT-paola-medium is not available") as caught:
        say(engine, "Ciao", language="it")
    assert caught.value.code == "no_voice"
    assert len(say(engine, "Hello"))


def test_mistakes_are_told_at_start(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--tts_voice: .*'nobody'"):
        PiperSynthesizer(str(folder), voice="nobody")
    with pytest.raises(UserError, match=r"--tts_language: .*'xx'"):
        PiperSynthesizer(str(folder), language="xx")
    with pytest.raises(UserError, match=r"expected voices\.json or .onnx files"):
        PiperSynthesizer(str(tmp_path))
