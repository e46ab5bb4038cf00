"""MeloTTS with tiny random weights, patched: where it is imported it fetches tokenizers of the hub and
data of NLTK, for which something small stands in here. Runs in its environment only: see pytest.ini."""

import importlib.util
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("melo") is None:
    pytest.skip("runs in the environment `melo`", allow_module_level=True)

import transformers

from pipeline.errors import EngineError, UserError
from pipeline.messages import Notice
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract, chunks_of
from tests.isolated.tiny_melo import tiny_melo, tiny_reader
from TTS import melo as engine_module
from TTS.melo import MeloSynthesizer


class _Sounds:
    """In place of g2p_en, which wants NLTK's data: says one thing for all that it does not know."""

    def __call__(self, word: str) -> list[str]:
        return ["HH", "AH0", "L", "OW1"]


@pytest.fixture(scope="module", autouse=True)
def patched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    reader = tiny_reader(tmp_path_factory.mktemp("reader"))
    g2p_en: Any = types.ModuleType("g2p_en")
    g2p_en.G2p = _Sounds
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AutoTokenizer", "AutoModelForMaskedLM"):
            load = getattr(transformers, name).from_pretrained
            patch.setattr(
                getattr(transformers, name), "from_pretrained", lambda *_, load=load, **__: load(reader)
            )
        patch.setitem(sys.modules, "g2p_en", g2p_en)
        patch.setattr(engine_module, "_NLTK", {})
        yield


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory, patched: None) -> Path:
    return tiny_melo(tmp_path_factory.mktemp("hub") / "MeloTTS-English")


class TestMeloPatched(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, english: Path) -> Iterator[MeloSynthesizer]:
        engine = MeloSynthesizer("cpu", str(english))
        yield engine
        engine.close()


def test_one_sentence_after_the_other_patched(english: Path) -> None:
    engine, cancel = MeloSynthesizer("cpu", str(english)), CancelToken()
    speech = engine.synthesize(LONG_TEXT, None, None, cancel)
    next(speech)
    cancel.cancel()
    assert list(speech) == []


def test_another_language_is_loaded_when_it_is_spoken_patched(
    english: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spanish = tiny_melo(tmp_path / "MeloTTS-Spanish", "es")
    monkeypatch.setitem(engine_module._MODELS, "en", ("EN", str(english)))
    monkeypatch.setitem(engine_module._MODELS, "es", ("ES", str(spanish)))
    engine = MeloSynthesizer("cpu")
    assert {"en", "es", "fr", "zh", "ja", "ko"} == set(engine.info.languages)
    spoken = list(engine.synthesize("Buenos dias.", "EN-BR", "es", CancelToken()))
    assert isinstance(spoken[0], Notice)
    assert chunks_of(spoken)
    with pytest.raises(EngineError, match=r"^the model for fr is not available here$"):
        list(engine.synthesize("Bonjour.", None, "fr", CancelToken()))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"voice": "Nobody"}, "--tts_voice: expected .*EN-US.*'Nobody'"),
        ({"language": "te"}, "--tts_language: expected one of en, .*'te'"),
    ],
)
def test_mistakes_are_told_at_start_patched(english: Path, settings: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        MeloSynthesizer("cpu", str(english), **settings)


def test_data_of_nltk_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_NLTK", {"cmudict": "corpora/nowhere.zip"})
    monkeypatch.setattr("nltk.download", lambda *_, **__: False)
    with pytest.raises(UserError, match=r"python -m nltk.downloader cmudict"):
        engine_module._package()
