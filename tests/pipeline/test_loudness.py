"""Loudness and silence of speech."""

import numpy as np
import pytest

from pipeline.loudness import leveled, loudness, speech_bounds
from pipeline.messages import AudioChunk, Samples, WordTime

RATE_HZ = 16000


def tone(ms: int, amplitude: float) -> Samples:
    time_s = np.arange(RATE_HZ * ms // 1000) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 400 * time_s)).astype(np.float32)


SPEECH = np.concatenate([tone(100, 0.005), tone(200, 0.5), tone(50, 0.05), tone(300, 0.0)])
"""A breath 40 dB under the voice, the voice, a soft consonant 20 dB under it, and silence."""


def test_a_breath_is_silence_and_a_soft_consonant_is_not() -> None:
    assert speech_bounds(SPEECH, RATE_HZ) == (1600, 5600)


@pytest.mark.parametrize("samples", [np.empty(0, np.float32), np.zeros(50, np.float32), tone(500, 0.0)])
def test_silence_has_no_bounds_and_stays_as_it_is(samples: Samples) -> None:
    assert speech_bounds(samples, RATE_HZ) == (0, 0)
    assert loudness(samples, RATE_HZ) == 0
    assert leveled(samples, RATE_HZ) is samples


def test_speech_is_brought_to_a_loudness_whatever_silence_it_has() -> None:
    for amplitude in (0.1, 0.9):
        spoken = np.concatenate([tone(800, 0.0), tone(200, amplitude)])
        assert loudness(leveled(spoken, RATE_HZ, 0.09), RATE_HZ) == pytest.approx(0.09, rel=0.01)
    assert loudness(leveled(tone(200, 0.001), RATE_HZ, 0.09), RATE_HZ) < 0.004, "a whisper stays soft"


def test_a_part_of_a_chunk_has_its_words() -> None:
    chunk = AudioChunk(SPEECH, RATE_HZ, (WordTime(0, 100), WordTime(6, 2000))).cut(500, 4000)
    assert np.array_equal(chunk.samples, SPEECH[500:4000])
    assert chunk.words == (WordTime(0, 0), WordTime(6, 1500))
