"""Parakeet with tiny random weights, loaded like the real ones."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install -e '.[parakeet]'")

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.parakeet import EUROPEAN, ParakeetRecognizer
from testing.contracts import RecognizerContract, speech_like
from testing.tiny_models import tiny_chat_model
from testing.tiny_recognizers import tiny_parakeet


class RaisedWhenLookedAt(CancelToken):
    """A token that is raised while the model computes."""

    def __init__(self, times: int) -> None:
        self._left = times
        super().__init__()

    def __getattribute__(self, name: str) -> object:
        if name == "cancelled":
            self._left -= 1
            return self._left < 0
        return super().__getattribute__(name)


class ParakeetTests(RecognizerContract):
    """The contract for one kind of Parakeet."""

    @pytest.fixture
    def spoken(self) -> Samples:
        return speech_like(16000, 2.0)

    def test_it_hears_what_sounds(self, engine: ParakeetRecognizer, spoken: Samples) -> None:
        heard = {
            engine.transcribe(audio, None, CancelToken()).text
            for audio in (spoken, spoken[::-1].copy(), 0.1 * spoken[:20000])
        }
        assert len(heard) == 3

    def test_the_language_is_what_the_model_was_made_for(
        self, engine: ParakeetRecognizer, spoken: Samples
    ) -> None:
        assert engine.transcribe(spoken, None, CancelToken()).language == "en"

    def test_broken_samples_are_no_error(self, engine: ParakeetRecognizer, spoken: Samples) -> None:
        broken = np.full(16000, np.nan, np.float32)
        assert isinstance(engine.transcribe(broken, None, CancelToken()).text, str)


class TestCTC(ParakeetTests):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> ParakeetRecognizer:
        return ParakeetRecognizer(str(tiny_parakeet(tmp_path_factory.mktemp("ctc"), "ctc")), "cpu")


class TestRNNT(ParakeetTests):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> ParakeetRecognizer:
        return ParakeetRecognizer(str(tiny_parakeet(tmp_path_factory.mktemp("rnnt"), "rnnt")), "cpu")


class TestTDT(ParakeetTests):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> ParakeetRecognizer:
        return ParakeetRecognizer(str(tiny_parakeet(tmp_path_factory.mktemp("tdt"))), "cpu")

    def test_it_stops_between_two_tokens(self, engine: ParakeetRecognizer, spoken: Samples) -> None:
        whole = engine.transcribe(spoken, None, CancelToken()).text
        cut = engine.transcribe(spoken, None, RaisedWhenLookedAt(4)).text
        assert cut
        assert whole.startswith(cut)
        assert len(cut) < len(whole) / 2


def test_the_third_version_understands_much_of_europe(tmp_path: Path) -> None:
    engine = ParakeetRecognizer(str(tiny_parakeet(tmp_path / "parakeet-tdt-0.6b-v3")), "cpu")
    assert engine.info.languages == EUROPEAN
    assert len(set(EUROPEAN)) == 25
    assert engine.info.device == "cpu"
    heard = engine.transcribe(speech_like(16000), "fr", CancelToken())
    assert heard.language == "fr"
    assert engine.transcribe(speech_like(16000), None, CancelToken()).language is None


def test_weights_that_are_missing_are_told(tmp_path: Path) -> None:
    folder = tiny_parakeet(tmp_path / "broken", without="joint")
    with pytest.raises(UserError, match=r"--stt_model_name .*have no weights"):
        ParakeetRecognizer(str(folder), "cpu")


def test_another_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a Parakeet model of Transformers, got llama"):
        ParakeetRecognizer(str(tiny_chat_model(tmp_path / "llama")), "cpu")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"--stt_model_name .*expected a Parakeet model"):
        ParakeetRecognizer(str(tmp_path / "empty"), "cpu")
