"""`--stt faster-whisper` over a tiny random model, converted by CTranslate2's own converter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import RecognizerContract, speech_like

pytest.importorskip("faster_whisper", reason="pip install -e '.[faster-whisper]'")
pytest.importorskip("torch", reason="the tiny model is made with torch: pip install -e '.[whisper]'")

from STT.faster_whisper import FasterWhisperRecognizer
from testing.tiny_whisper import tiny_whisper


def converted(folder: Path, **how: Any) -> str:
    """A tiny Whisper as CTranslate2 wants it."""
    from ctranslate2.converters import TransformersConverter

    original = tiny_whisper(folder / "original", **how)
    converter = TransformersConverter(str(original), copy_files=["tokenizer.json"])
    return str(converter.convert(str(folder / "converted")))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return converted(tmp_path_factory.mktemp("faster"))


class TestFasterWhisper(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, model: str) -> FasterWhisperRecognizer:
        return FasterWhisperRecognizer(model, "cpu")

    @pytest.fixture
    def spoken(self) -> Samples:
        return speech_like(16000)

    def test_it_says_where_and_how_it_runs(self, engine: FasterWhisperRecognizer) -> None:
        assert engine.info.device.startswith("cpu, int8")

    def test_the_language_of_the_call_wins(
        self, engine: FasterWhisperRecognizer, spoken: Samples
    ) -> None:
        english, telugu, javanese = (
            engine.transcribe(spoken, code, CancelToken()) for code in (None, "te", "jv")
        )
        assert (english.language, telugu.language, javanese.language) == ("en", "te", "jv")
        assert english.text != telugu.text

    def test_digital_silence_has_no_words(self, engine: FasterWhisperRecognizer) -> None:
        assert engine.transcribe(np.zeros(16000, np.float32), None, CancelToken()).text == ""

    def test_what_is_no_number_is_silence(self, engine: FasterWhisperRecognizer) -> None:
        for value in (np.nan, np.inf):
            heard = engine.transcribe(np.full(16000, value, np.float32), None, CancelToken())
            assert heard.text == ""

    def test_cancelled_between_two_segments_it_stops(self, engine: FasterWhisperRecognizer) -> None:
        long, cancel = speech_like(16000, 65.0), CancelToken()
        whole = engine.transcribe(long, None, CancelToken()).text
        generate = engine._model.generate_segments
        computed = []

        def noting_it(*arguments: Any) -> Iterator[Any]:
            for segment in generate(*arguments):
                computed.append(segment)
                cancel.cancel()
                yield segment

        engine._model.generate_segments = noting_it
        try:
            cut = engine.transcribe(long, None, cancel).text
        finally:
            engine._model.generate_segments = generate
        assert len(computed) == 1
        assert len(cut) < len(whole)


def test_detected_languages(tmp_path: Path) -> None:
    model = converted(tmp_path, hears="fr")
    engine = FasterWhisperRecognizer(model, "cpu", "auto", "en fr")
    heard = engine.transcribe(speech_like(16000), None, CancelToken())
    assert (heard.language, heard.notices) == ("fr-auto", ())
    assert engine.transcribe(speech_like(16000), "en", CancelToken()).language == "en"


def test_what_is_not_listened_for_is_taken_for_the_last_language(tmp_path: Path) -> None:
    engine = FasterWhisperRecognizer(converted(tmp_path, hears="fr"), "cpu", "auto", "en te")
    heard = engine.transcribe(speech_like(16000), "te-auto", CancelToken())
    assert heard.language == "te-auto"
    assert [notice.code for notice in heard.notices] == ["language_fallback"]
    assert engine.transcribe(speech_like(16000), None, CancelToken()).language == "en-auto"


@pytest.mark.parametrize("language", ["en", "auto"])
def test_a_model_of_english_only(tmp_path: Path, language: str) -> None:
    engine = FasterWhisperRecognizer(converted(tmp_path, multilingual=False), "cpu", language)
    assert engine.info.languages == ("en",)
    heard = engine.transcribe(speech_like(16000), None, CancelToken())
    assert heard.language == "en"
    assert heard.text
    with pytest.raises(UserError, match="--stt_language: expected"):
        FasterWhisperRecognizer(str(tmp_path / "converted"), "cpu", "fr")


def test_a_size_is_looked_for_under_its_name_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked = []

    def nothing_there(_: object, name: str, **how: object) -> str:
        asked.append(name)
        raise LocalEntryNotFoundError("not here")

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", nothing_there)
    with pytest.raises(UserError, match=r"--stt_model_name .*it is not in"):
        FasterWhisperRecognizer("tiny.en", "cpu")
    assert set(asked) == {"Systran/faster-whisper-tiny.en"}


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json"])
def test_a_folder_without_a_file_that_it_needs(tmp_path: Path, missing: str) -> None:
    folder = Path(converted(tmp_path))
    (folder / missing).unlink()
    with pytest.raises(UserError, match="--stt_model_name"):
        FasterWhisperRecognizer(str(folder), "cpu")


def test_a_precision_that_the_device_does_not_have(model: str) -> None:
    with pytest.raises(UserError, match=r"--stt_model_name .*float16"):
        FasterWhisperRecognizer(model, "cpu", compute_type="int8_float16")
