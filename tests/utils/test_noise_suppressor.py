"""Noise is removed before the audio reaches the voice detector and the recognizer."""

import numpy as np
import pytest

from pipeline.audio import rms
from pipeline.errors import UserError
from pipeline.turn import CancelToken
from tests.speech import RATE_HZ, share_heard, silence, spoken
from utils.noise_suppressor import NoiseSuppressor, expect_noise_suppressor

pytest.importorskip("livekit", reason="livekit is not installed")
QUESTION = "What is the weather like in London today?"


def test_steady_noise_goes_and_speech_stays() -> None:
    from STT.moonshine import MoonshineRecognizer

    speech = np.concatenate((silence(2000), spoken(QUESTION), silence(500)))
    noise = np.random.default_rng(0).normal(0, 0.02, len(speech)).astype(np.float32)
    suppress, noisy = NoiseSuppressor(RATE_HZ), speech + noise
    blocks = [suppress(noisy[start : start + 500]) for start in range(0, len(noisy), 500)]
    clean = np.concatenate(blocks)
    before_speech = slice(RATE_HZ, 2 * RATE_HZ - RATE_HZ // 10)
    assert rms(clean[before_speech]) < rms(noisy[before_speech]) / 3
    heard = MoonshineRecognizer().transcribe(clean, None, CancelToken()).text
    assert share_heard(QUESTION, heard) > 0.5


def test_conversations_do_not_share_it() -> None:
    audio = np.random.default_rng(0).normal(0, 0.02, RATE_HZ).astype(np.float32)
    first = NoiseSuppressor(RATE_HZ)
    first(audio)
    assert np.array_equal(NoiseSuppressor(RATE_HZ)(audio), NoiseSuppressor(RATE_HZ)(audio))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install livekit"):
        expect_noise_suppressor()
