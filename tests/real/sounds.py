"""Sounds for tests: the human utterances with their words, speech made worse, and sounds that are no
speech."""

import functools
import json

import numpy as np
from jiwer import wer

from pipeline.audio import resample
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Recognizer
from tests.speech import HUMAN, RATE_HZ, human, silence, words


@functools.cache
def utterances() -> tuple[tuple[Samples, str], ...]:
    """The human utterances, each with its words; skips the test if the recordings are missing."""
    human("utterances/neutral_1.flac")
    listed = json.loads((HUMAN / "utterances" / "utterances.json").read_text("utf-8"))
    return tuple((human(f"utterances/{item['file']}"), item["text"]) for item in listed)


def words_wrong(references: list[str], heard: list[str]) -> float:
    """Share of words that are wrong, without case and punctuation."""
    return float(
        wer([" ".join(words(text)) for text in references], [" ".join(words(text)) for text in heard])
    )


def text_of(engine: Recognizer, samples: Samples, language: str | None = None) -> str:
    """What a recognizer hears."""
    return engine.transcribe(samples, language, CancelToken()).text


# -- speech made worse -----------------------------------------------------------------------------


def quiet(samples: Samples) -> Samples:
    """Speech at a hundredth of its level."""
    return samples * np.float32(0.01)


def clipped(samples: Samples) -> Samples:
    """Speech that a microphone with too much gain has cut off at a quarter of its peak."""
    loud: Samples = 4 * samples / np.abs(samples).max()
    return loud.clip(-1, 1)


def telephone(samples: Samples) -> Samples:
    """Speech through a telephone of 8 kHz: 300 to 3400 Hz."""
    narrow = resample(samples, RATE_HZ, 8000)
    spectrum, hz = np.fft.rfft(narrow), np.fft.rfftfreq(len(narrow), 1 / 8000)
    spectrum[(hz < 300) | (hz > 3400)] = 0
    return resample(np.fft.irfft(spectrum, len(narrow)).astype(np.float32), 8000, RATE_HZ)


def noisy(samples: Samples) -> Samples:
    """Speech in white noise 10 dB below it."""
    rms = float(np.sqrt(np.mean(samples**2)))
    return samples + _noise(len(samples) / RATE_HZ, rms / 10**0.5)


# -- sounds that are no speech ---------------------------------------------------------------------


def not_speech() -> dict[str, Samples]:
    """Silence, noise, tones, and a tune, each by its name."""
    return {
        "digital silence": silence(2000),
        "digital silence, short": silence(200),
        "a quiet room": _noise(2, 1e-4),
        "a fan": _noise(3, 0.003),
        "loud noise": _noise(3, 0.1),
        "ten seconds of noise": _noise(10, 0.01),
        "a short noise": _noise(0.2, 0.01),
        "a tone": _tone(3, 440),
        "the hum of the mains": _tone(3, 50, 100, 150),
        "a chord": _tone(3, 261, 329, 392),
        "a tune": _tune(10),
        "a click": np.concatenate((silence(500), np.ones(20, np.float32), silence(500))),
        "a direct current": np.full(2 * RATE_HZ, 0.3, np.float32),
    }


def _noise(seconds: float, rms: float) -> Samples:
    return np.random.default_rng(0).normal(0, rms, int(seconds * RATE_HZ)).astype(np.float32)


def _tone(seconds: float, *hz: float) -> Samples:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    tones = [0.15 * np.sin(2 * np.pi * each * time_s) for each in hz]
    summed: Samples = np.sum(tones, axis=0).astype(np.float32)
    return summed


def _tune(seconds: float) -> Samples:
    """Plucked notes with three harmonics."""
    time_s = np.arange(int(0.4 * RATE_HZ)) / RATE_HZ
    notes = []
    for number in range(int(seconds / 0.4)):
        hz = 220 * 2 ** ((0, 3, 7, 12, 7, 3)[number % 6] / 12)
        harmonics = [np.sin(2 * np.pi * n * hz * time_s) / n for n in (1, 2, 3)]
        notes.append(0.2 * np.exp(-4 * time_s) * np.sum(harmonics, axis=0))
    return np.concatenate(notes).astype(np.float32)
