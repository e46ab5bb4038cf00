"""The built-in synthesizer."""

import numpy as np
import pytest

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract
from TTS.espeak import EspeakSynthesizer


class TestEspeak(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> EspeakSynthesizer:
        return EspeakSynthesizer()


def seconds(
    engine: EspeakSynthesizer, text: str, language: str | None = None, voice: str | None = None
) -> float:
    chunks = list(engine.synthesize(text, voice, language, CancelToken()))
    return sum(len(chunk.samples) for chunk in chunks) / engine.info.sample_rate_hz


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Hello, how are you?"),
        ("te", "నమస్కారం, మీరు ఎలా ఉన్నారు?"),
        ("hi", "नमस्ते, आप कैसे हैं?"),
        ("fr", "Bonjour, comment allez-vous ?"),
        ("es", "Hola, ¿cómo está usted?"),
        ("de", "Guten Tag, wie geht es Ihnen?"),
        ("zh", "你好，今天天气怎么样？"),
        ("ja", "こんにちは、おげんきですか。"),
        ("ko", "안녕하세요, 오늘 기분이 어떠세요?"),
        ("pt", "Olá, como vai você?"),
        ("ru", "Здравствуйте, как дела?"),
        ("ar", "مرحبا، كيف حالك؟"),
    ],
)
def test_languages(language: str, text: str) -> None:
    assert 0.8 < seconds(EspeakSynthesizer(), text, language=language) < 8


def test_there_are_over_a_hundred_languages() -> None:
    assert len(EspeakSynthesizer().info.languages) > 100


def test_a_voice_speaks_differently() -> None:
    engine = EspeakSynthesizer()
    plain = next(engine.synthesize("Hello.", None, None, CancelToken())).samples
    other = next(engine.synthesize("Hello.", "en-gb+f3", None, CancelToken())).samples
    assert len(plain) != len(other) or not np.allclose(plain, other)


def test_the_voice_that_was_configured_wins_over_the_language() -> None:
    """A user who asks for a Hindi voice wants to hear it, whatever language the recognizer detects."""
    text = "Hello, how are you?"
    configured, plain = EspeakSynthesizer(voice="hi"), EspeakSynthesizer()
    hindi = seconds(plain, text, voice="hi")
    assert seconds(configured, text, language="en") == pytest.approx(hindi, rel=0.01)
    assert seconds(plain, text, language="en") != pytest.approx(hindi, rel=0.01)
    assert seconds(configured, text, voice="en-us") == pytest.approx(
        seconds(plain, text, language="en"), rel=0.01
    )


def test_rate() -> None:
    usual = seconds(EspeakSynthesizer(), LONG_TEXT)
    assert seconds(EspeakSynthesizer(rate=300), LONG_TEXT) < 0.75 * usual


def test_an_unknown_voice_is_told_when_the_program_starts() -> None:
    with pytest.raises(UserError, match=r"--tts_voice.*'nobody'"):
        EspeakSynthesizer(voice="nobody")
    with pytest.raises(UserError, match=r"--tts_language.*'xx'"):
        EspeakSynthesizer(language="xx")


@pytest.mark.parametrize("voice", ["nobody", "en-us+nobody"])
def test_an_unknown_voice_of_a_session_is_an_error_of_its_turn(voice: str) -> None:
    with pytest.raises(EngineError, match="expected one of the voices") as caught:
        list(EspeakSynthesizer().synthesize("Hello.", voice, None, CancelToken()))
    assert caught.value.code == "unknown_voice"


def test_an_unknown_language_is_an_error_of_its_turn() -> None:
    with pytest.raises(EngineError, match="'xx'"):
        list(EspeakSynthesizer().synthesize("Hello.", None, "xx", CancelToken()))


def test_espeak_tells_when_each_word_begins() -> None:
    """Also after multi-byte characters, and after the pause of a comma."""
    text = "Äh well, this is the café."
    (chunk,) = EspeakSynthesizer().synthesize(text, None, None, CancelToken())
    words = {text[word.chars :].split()[0]: word.sample for word in chunk.words}
    assert {"Äh", "well,", "this", "café."} <= set(words)
    assert list(words.values()) == sorted(words.values())
    assert words["Äh"] == 0
    assert 0.5 * len(chunk.samples) < words["café."] < len(chunk.samples)
    pause = words["this"] - words["well,"]
    assert pause > 0.4 * chunk.sample_rate_hz, "the word, and the pause after it"
