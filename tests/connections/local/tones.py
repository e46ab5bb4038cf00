"""Tones of 1 kHz, which devices hear and play in the tests, and a check that they came through whole."""

import numpy as np
from numpy.typing import NDArray

TONE_HZ = 1000
LEVEL = 0.25
TOO_HIGH_HZ = 9000
"""A tone that audio at 16 kHz cannot carry: a resampler without a filter turns it into one of 7 kHz."""

_SEGMENT_S = 0.1
_SETTLED_S = 0.1
"""The filters and the first blocks of silence are over."""

Audio = NDArray[np.float64]


def tone(seconds: Audio) -> Audio:
    return np.asarray(LEVEL * np.sin(2 * np.pi * TONE_HZ * seconds))


def tone_and_one_too_high(seconds: Audio) -> Audio:
    return tone(seconds) + np.asarray(LEVEL * np.sin(2 * np.pi * TOO_HIGH_HZ * seconds))


def expect_tone(audio: NDArray[np.floating], rate_hz: int) -> None:
    """The tone of `LEVEL` and nothing else, 60 dB down, without a sample lost or added on the way.

    A sample too many shifts the phase of what follows: by 0.13 rad at 48 kHz, by 0.03 at 192.
    """
    settled = np.asarray(audio[int(_SETTLED_S * rate_hz) :], np.float64)
    segment = int(_SEGMENT_S * rate_hz)
    settled = settled[: len(settled) // segment * segment]
    turning = np.exp(-2j * np.pi * TONE_HZ * np.arange(len(settled)) / rate_hz)
    found = 2 * (settled * turning).reshape(-1, segment).mean(axis=1)
    assert np.abs(np.abs(found) / LEVEL - 1).max() < 0.02, np.abs(found)
    shifts = np.unwrap(np.angle(found))
    assert np.abs(shifts - shifts[0]).max() < 0.01, shifts
    rest = settled - np.real(found.mean() * np.conj(turning))
    assert np.sqrt(np.mean(rest**2)) < LEVEL / np.sqrt(2) / 1000
