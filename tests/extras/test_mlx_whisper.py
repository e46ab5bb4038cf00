"""`--stt mlx-whisper` over a tiny random model; on Linux MLX computes on the processor."""

import threading
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import SOON_S, RecognizerContract, speech_like
from tests.extras.tiny_whisper_mlx import tiny_whisper_mlx
from utils.mlx import MLX_LOCK

pytest.importorskip("mlx_whisper", reason="pip install -e '.[mlx-whisper]'")

from STT.mlx_whisper import MlxWhisperRecognizer

PACKAGE = "mlx_whisper"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_whisper_mlx(tmp_path_factory.mktemp("mlx"), PACKAGE, hears="fr"))


class TestMlxWhisper(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, model: str) -> MlxWhisperRecognizer:
        return MlxWhisperRecognizer(model, "auto", "en fr")

    @pytest.fixture
    def spoken(self) -> Samples:
        return speech_like(16000)

    def test_the_language_is_detected_or_told(
        self, engine: MlxWhisperRecognizer, spoken: Samples
    ) -> None:
        assert engine.transcribe(spoken, None, CancelToken()).language == "fr-auto"
        assert engine.transcribe(spoken, "te", CancelToken()).language == "te"

    def test_silence_and_what_is_no_number_have_no_words(self, engine: MlxWhisperRecognizer) -> None:
        for value in (0, np.nan, np.inf):
            heard = engine.transcribe(np.full(16000, value, np.float32), None, CancelToken())
            assert heard.text == ""

    def test_it_waits_for_others_that_use_mlx(
        self, engine: MlxWhisperRecognizer, spoken: Samples
    ) -> None:
        heard: list[str] = []
        call = lambda: heard.append(engine.transcribe(spoken, "en", CancelToken()).text)  # noqa: E731
        with MLX_LOCK:
            caller = threading.Thread(target=call, daemon=True)
            caller.start()
            caller.join(0.1)
            assert not heard
        caller.join(SOON_S)
        assert heard
        assert not MLX_LOCK.locked()


def test_what_is_not_listened_for_is_taken_for_the_last_language(model: str) -> None:
    engine = MlxWhisperRecognizer(model, "auto", "en te")
    heard = engine.transcribe(speech_like(16000), "te-auto", CancelToken())
    assert heard.language == "te-auto"
    assert [notice.code for notice in heard.notices] == ["language_fallback"]


def test_a_model_of_english_only(tmp_path: Path) -> None:
    folder = tiny_whisper_mlx(tmp_path, PACKAGE, multilingual=False)
    engine = MlxWhisperRecognizer(str(folder), "auto")
    assert engine.info.languages == ("en",)
    assert engine.transcribe(speech_like(16000), None, CancelToken()).language == "en"


def test_a_model_without_all_its_weights_refuses_to_start(tmp_path: Path) -> None:
    folder = tiny_whisper_mlx(tmp_path, PACKAGE, without="cross_attn.key")
    with pytest.raises(UserError, match="layers have no weights"):
        MlxWhisperRecognizer(str(folder))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--stt_model_name .*expected config\.json and weights"):
        MlxWhisperRecognizer(str(tmp_path))
