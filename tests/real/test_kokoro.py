"""Kokoro on real weights (8 bits a weight): spoken here, and heard again by a recognizer.

Only Japanese voices come in a package; a style is no accent, so they speak English as well, by the name
of an English voice. The bounds are what was measured here, and some more.
"""

import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import resample
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.moonshine import MoonshineRecognizer
from tests.real.sounds import text_of, words_wrong
from tests.real.weights import BASE, KOKORO
from tests.speech import RATE_HZ
from TTS.kokoro import KokoroSynthesizer

SENTENCES = (
    "I am listening.",
    "I can help you with that, but first tell me where you live.",
    "Mr. Smith paid three dollars for a thousand apples; didn't he?",
    "Of course, what would you like to know about the city?",
    "My brother works in a large hospital near the river.",
    "She wrote a long letter to her old teacher.",
    "Tomorrow it will rain, so take an umbrella with you.",
    "Thank you very much for your help today.",
    "The capital of France is Paris.",
    "Could you repeat the question, please?",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, with its Japanese voices by names of other languages."""
    folder = tmp_path_factory.mktemp("kokoro")
    model, voices, _ = KOKORO
    shutil.copy(model.path, folder)
    with np.load(voices.path) as styles:
        names = {
            "af_alpha": "jf_alpha",
            "am_kumo": "jm_kumo",
            "jf_alpha": "jf_alpha",
            "zf_alpha": "jf_alpha",
        }
        np.savez(folder / "voices.npz", **{name: styles[style] for name, style in names.items()})
    return folder


@pytest.fixture(scope="module")
def engine(folder: Path) -> KokoroSynthesizer:
    return KokoroSynthesizer(str(folder))


def say(engine: KokoroSynthesizer, text: str, voice: str | None = None) -> Samples:
    """A text as speech, at the rate of the recognizers."""
    chunks = list(engine.synthesize(text, voice, None, CancelToken()))
    return resample(np.concatenate([c.samples for c in chunks]), engine.info.sample_rate_hz, RATE_HZ)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("voice", ["af_alpha", "am_kumo"])
def test_english_is_heard_again(engine: KokoroSynthesizer, voice: str) -> None:
    """Measured: 1 of 87 words wrong, and none."""
    recognizer = MoonshineRecognizer()
    heard = [text_of(recognizer, say(engine, sentence, voice)) for sentence in SENTENCES]
    assert words_wrong(list(SENTENCES), heard) < 0.06


@pytest.mark.timeout(300)
def test_japanese_and_chinese_are_heard_again(engine: KokoroSynthesizer) -> None:
    """Whisper base writes kanji where it has understood the words."""
    pytest.importorskip("faster_whisper", reason="pip install -e '.[faster-whisper]'")
    from STT.faster_whisper import FasterWhisperRecognizer

    whisper = FasterWhisperRecognizer(str(BASE[0].path.parent), "cpu")
    weather = say(engine, "きょうは てんきが とても いいですね。", "jf_alpha")
    assert "天気がとてもいいですね" in text_of(whisper, weather, "ja")
    heard = text_of(whisper, say(engine, "今天天气怎么样？", "zf_alpha"), "zh")
    assert heard.rstrip("。?？") in ("今天天气怎么样", "今天天氣怎麼樣")
    whisper.close()


def test_the_silence_around_speech_is_short(engine: KokoroSynthesizer) -> None:
    """The model makes 0.3 s before it and 0.6 to 0.8 s after it."""
    speech = say(engine, "The capital of France is Paris.")
    loud = np.flatnonzero(np.abs(speech) > 0.02 * np.abs(speech).max()) / RATE_HZ
    assert loud[0] < 0.15
    assert len(speech) / RATE_HZ - loud[-1] < 0.45


def test_speed(folder: Path, engine: KokoroSynthesizer) -> None:
    text = "She wrote a long letter to her old teacher."
    fast = KokoroSynthesizer(str(folder), speed=1.5)
    assert 1.3 < len(say(engine, text)) / len(say(fast, text)) < 1.7


def test_the_first_clause_comes_before_the_rest_is_computed(engine: KokoroSynthesizer) -> None:
    text = f"{SENTENCES[1]} {SENTENCES[4]} {SENTENCES[6]}"
    began_s = time.monotonic()
    ready_s = [time.monotonic() - began_s for _ in engine.synthesize(text, None, None, CancelToken())]
    assert len(ready_s) > 1
    assert ready_s[0] < 0.5 * ready_s[-1]


def test_a_call_that_is_cancelled_stops_at_once(engine: KokoroSynthesizer) -> None:
    """In its middle: the whole would take seconds."""
    text = "This goes on and on about the sea and the sun and the moon and the stars " * 5
    cancel, cancelled_s = CancelToken(), 0.0

    def stop() -> None:
        nonlocal cancelled_s
        cancelled_s = time.monotonic()
        cancel.cancel()

    timer = threading.Timer(0.5, stop)
    timer.start()
    assert list(engine.synthesize(text, None, None, cancel)) == []
    assert cancelled_s
    assert time.monotonic() - cancelled_s < 1
    timer.join()
