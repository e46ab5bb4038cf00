"""`--stt whisper` over a tiny random model."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import SOON_S, RecognizerContract, speech_like

pytest.importorskip("torch", reason="torch is not installed (pip install -e .[whisper])")

from STT.whisper import WhisperRecognizer
from testing.tiny_models import tiny_chat_model
from testing.tiny_whisper import tiny_whisper

SHORT = {"max_new_tokens": 30}
LANGUAGES = {"language": "auto", "languages": "en fr te"}


def tones(*hz: float, seconds: float = 1.0) -> Samples:
    """Audio that the model hears differently from noise."""
    time_s = np.arange(int(16000 * seconds)) / 16000
    mixed = sum((np.sin(2 * np.pi * f * time_s) for f in hz), start=np.zeros(len(time_s)))
    return (0.2 * mixed).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_whisper(tmp_path_factory.mktemp("whisper")))


@pytest.fixture
def recognizer() -> Iterator[Any]:
    """A factory of recognizers that closes them."""
    made: list[WhisperRecognizer] = []

    def make(folder: Path | str, **settings: Any) -> WhisperRecognizer:
        made.append(WhisperRecognizer(str(folder), "cpu", **{"gen_kwargs": SHORT, **settings}))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


class TestWhisper(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, model: str) -> Iterator[WhisperRecognizer]:
        engine = WhisperRecognizer(model, "cpu", batch_size=3, gen_kwargs=SHORT)
        yield engine
        engine.close()

    @pytest.fixture
    def spoken(self) -> Samples:
        return speech_like(16000)

    def test_words_depend_on_the_sound_and_the_language(
        self, engine: WhisperRecognizer, spoken: Samples
    ) -> None:
        calls = [(spoken, "en"), (tones(440), "en"), (tones(440), "te"), (tones(440), "fr")]
        heard = {engine.transcribe(*call, CancelToken()).text for call in calls}
        assert len(heard) > 2

    def test_the_language_of_the_call_wins(self, engine: WhisperRecognizer, spoken: Samples) -> None:
        assert engine.transcribe(spoken, None, CancelToken()).language == "en"
        assert engine.transcribe(spoken, "te", CancelToken()).language == "te"

    def test_javanese_has_its_code_of_today(self, engine: WhisperRecognizer, spoken: Samples) -> None:
        assert "jv" in engine.info.languages
        assert engine.transcribe(spoken, "jv", CancelToken()).language == "jv"

    def test_what_is_no_number_is_silence(self, engine: WhisperRecognizer) -> None:
        for value in (np.nan, np.inf, -np.inf):
            heard = engine.transcribe(np.full(16000, value, np.float32), None, CancelToken())
            assert heard.text == ""

    def test_a_long_recording_is_heard_in_parts(self, engine: WhisperRecognizer) -> None:
        sounds = [tones(440, seconds=20), np.zeros(8000, np.float32), tones(220, seconds=20)]
        heard = engine.transcribe(np.concatenate(sounds), None, CancelToken())
        assert len(heard.text) > SHORT["max_new_tokens"]

    def test_in_a_batch_each_is_understood_as_alone(self, engine: WhisperRecognizer) -> None:
        calls = [
            (sound, language)
            for sound in (tones(440), tones(220), speech_like(16000))
            for language in ("en", "te", "fr")
        ]
        alone = [engine.transcribe(*call, CancelToken()) for call in calls]
        together: dict[int, Any] = {}

        def transcribe(number: int) -> None:
            together[number] = engine.transcribe(*calls[number], CancelToken())

        callers = [threading.Thread(target=transcribe, args=(n,)) for n in range(len(calls))]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(SOON_S)
        assert [together[number] for number in range(len(calls))] == alone


def test_a_detected_language_says_so(recognizer: Any, tmp_path: Path) -> None:
    engine = recognizer(tiny_whisper(tmp_path, hears="fr"), **LANGUAGES)
    heard = engine.transcribe(speech_like(16000), None, CancelToken())
    assert (heard.language, heard.notices) == ("fr-auto", ())
    assert engine.transcribe(speech_like(16000), "te-auto", CancelToken()).language == "fr-auto"
    assert engine.transcribe(speech_like(16000), "te", CancelToken()).language == "te"


def test_what_is_not_listened_for_is_taken_for_the_last_language(
    recognizer: Any, tmp_path: Path
) -> None:
    engine = recognizer(tiny_whisper(tmp_path, hears="sv"), **LANGUAGES)
    heard = engine.transcribe(speech_like(16000), "te-auto", CancelToken())
    as_telugu = engine.transcribe(speech_like(16000), "te", CancelToken())
    assert (heard.language, heard.text) == ("te-auto", as_telugu.text)
    [notice] = heard.notices
    assert notice.code == "language_fallback"
    assert "Swedish" in notice.text
    assert "Telugu" in notice.text
    first = engine.transcribe(speech_like(16000), None, CancelToken())
    assert first.language == "en-auto"


def test_all_languages_may_be_listened_for(recognizer: Any, tmp_path: Path) -> None:
    engine = recognizer(tiny_whisper(tmp_path, hears="sv"), language="auto", languages="all")
    assert engine.transcribe(speech_like(16000), None, CancelToken()).language == "sv-auto"


@pytest.mark.parametrize("language", ["en", "auto"])
def test_a_model_of_english_only(recognizer: Any, tmp_path: Path, language: str) -> None:
    engine = recognizer(tiny_whisper(tmp_path, multilingual=False), language=language)
    assert engine.info.languages == ("en",)
    heard = engine.transcribe(speech_like(16000), None, CancelToken())
    assert heard.language == "en"
    assert heard.text


def test_what_the_model_takes_for_silence_has_no_words(recognizer: Any, tmp_path: Path) -> None:
    engine = recognizer(tiny_whisper(tmp_path, silent=True))
    assert engine.transcribe(speech_like(16000), None, CancelToken()).text == ""


def test_cancelled_in_the_middle_it_stops(recognizer: Any, model: str) -> None:
    engine, cancel = recognizer(model), CancelToken()
    steps: list[object] = []

    def step(*_: object) -> None:
        steps.append(None)
        if len(steps) == 5:
            cancel.cancel()

    with engine._model.model.decoder.register_forward_hook(step):
        assert engine.transcribe(speech_like(16000), None, cancel).text == ""
        before_the_next: list[int] = []
        note = lambda *_: before_the_next.append(len(steps))  # noqa: E731
        with engine._model.model.encoder.register_forward_hook(note):
            engine.transcribe(speech_like(16000), None, CancelToken())
    assert before_the_next[0] < SHORT["max_new_tokens"]


def test_beams_follow_several_wordings(recognizer: Any, model: str) -> None:
    engine = recognizer(model, batch_size=2, gen_kwargs={**SHORT, "num_beams": 3})
    assert engine.transcribe(speech_like(16000), None, CancelToken()).text


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"language": "xx"}, "--stt_language: expected auto or a language of this model"),
        ({"language": "auto", "languages": "en xx"}, "--stt_languages: expected all, or languages"),
        ({"language": "auto", "languages": " "}, "--stt_languages: expected all, or languages"),
    ],
)
def test_a_language_that_the_model_does_not_know(model: str, settings: Any, flag: str) -> None:
    with pytest.raises(UserError, match=flag):
        WhisperRecognizer(model, "cpu", **settings)


def test_a_model_without_all_its_weights_refuses_to_start(tmp_path: Path) -> None:
    folder = tiny_whisper(tmp_path, without="encoder_attn.k_proj")
    with pytest.raises(UserError, match="layers have no weights"):
        WhisperRecognizer(str(folder), "cpu")


def test_a_model_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--stt_model_name"):
        WhisperRecognizer(str(tiny_chat_model(tmp_path)), "cpu")
