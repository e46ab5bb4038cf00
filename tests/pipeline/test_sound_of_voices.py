"""Real speech is never taken for sound that no working engine makes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from catalog.weights import FETCH, JOE, JOE_SETTINGS
from pipeline.audio import to_mono
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from tests.pipeline.test_sound_check import CLIPPED, judged
from tests.speech import HUMAN, moonshine_asset, spoken


def recordings() -> list[Path]:
    """The human recordings, if they are here."""
    return sorted(HUMAN.rglob("*.flac"))


@pytest.mark.skipif(not recordings(), reason=f"the human recordings are not here ({HUMAN})")
@pytest.mark.parametrize("gain_db", [-30, 0, 12])
def test_human_speech_passes_even_if_it_is_far_too_loud_or_soft(gain_db: int) -> None:
    for path in recordings():
        samples, rate_hz = soundfile.read(path, dtype="float32")
        samples = to_mono(samples)
        samples = samples / np.abs(samples).max() * np.float32(10 ** (gain_db / 20))
        assert judged(samples, rate_hz, rate_hz // 10) == "", path.name


def test_human_speech_40_db_over_full_scale_does_not() -> None:
    samples = moonshine_asset("two_cities.wav")
    assert CLIPPED in judged(samples / np.abs(samples).max() * 100)


WORDS = ("Yes.", "No.", "I.", "A", "Oh!", "Hm.", "k", "7", "Ω", "日本", "สวัสดี", "ㅋㅋ", "नमस्ते", "Да.")


@pytest.mark.parametrize("text", [*WORDS, "Well, I would say so.", "One, two, three, four. " * 8])
def test_the_built_in_voices_pass(text: str) -> None:
    assert judged(spoken(text)) == ""


@pytest.mark.parametrize("voice", ["en+whisper", "en+whisperf", "te", "fr", "de", "cmn", "ar", "hi"])
def test_whispers_and_other_languages_pass(voice: str) -> None:
    assert judged(spoken("Yes, ok.", voice)) == ""


@pytest.fixture(scope="module")
def piper() -> Any:
    """The built-in voice."""
    if not (JOE.there and JOE_SETTINGS.there):
        pytest.skip(f"the files of the voice are not here; type: {FETCH}")
    module = pytest.importorskip("TTS.piper", reason="no wheel for this machine")
    return module.PiperSynthesizer()


@pytest.mark.parametrize("text", [*WORDS, "Well, I would say so."])
def test_piper_passes(text: str, piper: Any) -> None:
    results = piper.synthesize(text, None, None, CancelToken())
    chunks = [result for result in results if isinstance(result, AudioChunk)]
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert judged(samples, chunks[0].sample_rate_hz, 4096) == ""
