"""`--stt whisper-mlx` over a tiny random model; on Linux MLX computes on the processor."""

import threading
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import SOON_S, RecognizerContract, speech_like
from tests.extras.tiny_whisper_mlx import tiny_whisper_mlx
from utils import hub
from utils.mlx import MLX_LOCK

pytest.importorskip("lightning_whisper_mlx", reason="pip install -e '.[whisper-mlx]'")

from STT.whisper_mlx import WhisperMlxRecognizer

PACKAGE = "lightning_whisper_mlx"
DISTIL = "mustafaaljadery/distil-whisper-mlx"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_whisper_mlx(tmp_path_factory.mktemp("mlx"), PACKAGE, hears="fr"))


class TestWhisperMlx(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, model: str) -> WhisperMlxRecognizer:
        return WhisperMlxRecognizer(model, "auto", "en fr")

    @pytest.fixture
    def spoken(self) -> Samples:
        return speech_like(16000)

    def test_the_language_is_detected_or_told(
        self, engine: WhisperMlxRecognizer, spoken: Samples
    ) -> None:
        assert engine.transcribe(spoken, None, CancelToken()).language == "fr-auto"
        assert engine.transcribe(spoken, "te", CancelToken()).language == "te"

    def test_silence_and_what_is_no_number_have_no_words(self, engine: WhisperMlxRecognizer) -> None:
        for value in (0, np.nan, np.inf):
            heard = engine.transcribe(np.full(16000, value, np.float32), None, CancelToken())
            assert heard.text == ""

    def test_it_waits_for_others_that_use_mlx(
        self, engine: WhisperMlxRecognizer, spoken: Samples
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
    engine = WhisperMlxRecognizer(model, "auto", "en te")
    heard = engine.transcribe(speech_like(16000), "te-auto", CancelToken())
    assert heard.language == "te-auto"
    assert [notice.code for notice in heard.notices] == ["language_fallback"]


def test_a_model_of_english_only(tmp_path: Path) -> None:
    folder = tiny_whisper_mlx(tmp_path, PACKAGE, multilingual=False)
    engine = WhisperMlxRecognizer(str(folder), "auto")
    assert engine.info.languages == ("en",)
    assert engine.transcribe(speech_like(16000), None, CancelToken()).language == "en"


def test_a_model_without_all_its_weights_refuses_to_start(tmp_path: Path) -> None:
    folder = tiny_whisper_mlx(tmp_path, PACKAGE, without="cross_attn.key")
    with pytest.raises(UserError, match="layers have no weights"):
        WhisperMlxRecognizer(str(folder))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--stt_model_name .*expected config\.json and weights"):
        WhisperMlxRecognizer(str(tmp_path))


def test_quantized_weights(tmp_path: Path) -> None:
    folder = tiny_whisper_mlx(tmp_path, PACKAGE, bits=4)
    assert WhisperMlxRecognizer(str(folder)).info.device == "cpu, MLX"


DISTIL = "mustafaaljadery/distil-whisper-mlx"


@pytest.mark.parametrize(
    ("name", "quantization", "repository", "files"),
    [
        ("distil-large-v3", "none", DISTIL, "mlx_models/distil-large-v3/*"),
        ("distil-large-v3", "4bit", DISTIL, "mlx_models/distil-large-v3-4-bit/*"),
        ("small", "8bit", "mlx-community/whisper-small-mlx-8bit", "weights.npz"),
    ],
)
def test_where_the_models_of_its_list_are(
    name: str, quantization: str, repository: str, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def nothing_there(name: str, flag: str, files: list[str], *how: object) -> Path:
        asked.append((name, files))
        raise UserError("it is not in the cache")

    monkeypatch.setattr(hub, "_download", nothing_there)
    with pytest.raises(UserError, match="it is not in"):
        WhisperMlxRecognizer(name, quantization=quantization)
    assert asked[0][0] == repository
    assert files in asked[0][1]


def test_a_name_that_is_not_on_its_list() -> None:
    with pytest.raises(UserError, match="--stt_model_name: expected a folder or one of tiny, small"):
        WhisperMlxRecognizer("huge")
