"""Kokoro on torch, over a tiny random model. A blank English model stands in for spaCy's where that is
missing."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("kokoro", reason="pip install -e '.[kokoro-torch]'")

from pipeline.errors import EngineError, UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import SynthesizerContract
from tests.extras.tiny_kokoro import VOICES, blank_english, tiny_kokoro
from TTS.kokoro_torch import KokoroTorchSynthesizer

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_kokoro(tmp_path_factory.mktemp("models") / "kokoro")


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("en_core_web_sm") is None:
            patch.syspath_prepend(str(blank_english(tmp_path_factory.mktemp("spacy"))))
        yield


@pytest.fixture(scope="module")
def synthesizer(folder: Path, english: None) -> KokoroTorchSynthesizer:
    return KokoroTorchSynthesizer("cpu", str(folder))


class TestKokoro(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: KokoroTorchSynthesizer) -> KokoroTorchSynthesizer:
        return synthesizer


def say(
    engine: KokoroTorchSynthesizer, text: str, voice: str | None = None, language: str | None = None
) -> Samples:
    chunks = list(engine.synthesize(text, voice, language, CancelToken()))
    return np.concatenate([chunk.samples for chunk in chunks])


def test_voices_and_languages_are_those_of_the_folder(synthesizer: KokoroTorchSynthesizer) -> None:
    japanese = importlib.util.find_spec("pyopenjtalk") is not None
    assert synthesizer.info.voices == (VOICES if japanese else VOICES[:-1])
    assert synthesizer.info.languages == (("en", "es", "ja") if japanese else ("en", "es"))


def test_it_tells_when_each_english_word_begins(synthesizer: KokoroTorchSynthesizer) -> None:
    text = "Well, this is the café."
    (chunk,) = synthesizer.synthesize(text, None, None, CancelToken())
    words = {text[word.chars :].split()[0]: word.sample for word in chunk.words}
    assert {"this", "is", "the"} <= set(words)
    assert list(words.values()) == sorted(words.values())
    assert max(words.values()) < len(chunk.samples)


def test_a_language_has_its_voice_and_a_voice_its_language(synthesizer: KokoroTorchSynthesizer) -> None:
    text = "Hola, hello."
    spanish = len(say(synthesizer, text, "ef_dora"))
    assert len(say(synthesizer, text, language="es")) == spanish
    assert len(say(synthesizer, text, "ef_dora", "en")) == spanish
    assert len(say(synthesizer, text, "af_heart", "es")) != spanish


def test_speed(folder: Path, synthesizer: KokoroTorchSynthesizer, english: None) -> None:
    slow = KokoroTorchSynthesizer("cpu", str(folder), speed=0.5)
    text = "Hello there, this is a sentence."
    assert len(say(slow, text)) > 1.5 * len(say(synthesizer, text))


def test_a_language_without_its_phonemizer_says_what_to_type(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    missing = ("en_core_web_sm", "pyopenjtalk")
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n in missing else found(n))
    with pytest.raises(UserError, match="python -m spacy download en_core_web_sm"):
        KokoroTorchSynthesizer("cpu", str(folder))
    engine = KokoroTorchSynthesizer("cpu", str(folder), voice="ef_dora")
    assert engine.info.languages == ("es",)
    with pytest.raises(EngineError, match=r"misaki\[ja\]"):
        engine.expect_voice("jf_alpha")


def test_an_unknown_voice_and_a_folder_without_voices_are_told_at_start(
    folder: Path, tmp_path: Path, english: None
) -> None:
    with pytest.raises(UserError, match=r"--tts_voice.*'nobody'"):
        KokoroTorchSynthesizer("cpu", str(folder), voice="nobody")
    with pytest.raises(UserError, match=r"--tts_language: expected one of en, .*'te'"):
        KokoroTorchSynthesizer("cpu", str(folder), language="te")
    with pytest.raises(UserError, match=r"got 0 \.pth and 0 voices"):
        KokoroTorchSynthesizer("cpu", str(tmp_path))


def test_weights_of_another_model_are_refused(folder: Path, tmp_path: Path, english: None) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    torch = pytest.importorskip("torch")
    torch.save({"encoder": {}}, other / "kokoro.pth")
    with pytest.raises(UserError, match="expected Kokoro, got encoder"):
        KokoroTorchSynthesizer("cpu", str(other))
