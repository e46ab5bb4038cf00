"""Timbre: loudness, brightness and voicing of a stretch of speech."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import Samples

FRAME_MS = 32
ACTIVE_DB = 25.0
"""Frames at most this much softer than the loudest belong to the speech; the rest is pauses and room."""

BRIGHT_HZ = 2800.0
"""Distance, walls and hands before the mouth take most of the sound above this frequency."""

PITCH_HZ = (70, 400)
VOICED = 0.5
"""Normalized autocorrelation at the period of the pitch from which a frame counts as voiced."""

_SILENCE = 1e-10

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timbre:
    """Properties of the sound, from its frames of 32 ms."""

    level_db: float
    """Level of the speech (80th percentile of its frames), in dB of full scale."""
    brightness_db: float
    """Energy above `BRIGHT_HZ`, in dB relative to all of it."""
    voiced: float
    """Share of frames with a pitch, 0 to 1: few in coughs and sneezes."""

    @classmethod
    def of(cls, samples: Samples, rate_hz: int) -> "Timbre | None":
        """Measure `samples`, 1 ms a second of sound; None for silence and for less than two frames."""
        size = rate_hz * FRAME_MS // 1000
        frames = samples[: len(samples) // size * size].reshape(-1, size)
        levels = 10 * np.log10(np.square(frames).mean(axis=1, dtype=np.float64) + _SILENCE)
        if len(frames) < 2 or levels.max() <= 10 * math.log10(2 * _SILENCE):
            return None
        active = levels > levels.max() - ACTIVE_DB
        power = np.square(np.abs(np.fft.rfft(frames[active] * np.hanning(size), 2 * size)))
        hz = np.fft.rfftfreq(2 * size, 1 / rate_hz)
        bright = power[:, hz >= BRIGHT_HZ].sum() / max(power[:, hz > 60].sum(), _SILENCE)
        return cls(
            level_db=float(np.percentile(levels[active], 80)),
            brightness_db=10 * math.log10(bright + 1e-6),
            voiced=float(np.mean(_periodicity(power, size, rate_hz) > VOICED)),
        )


def _periodicity(power: Floats, size: int, rate_hz: int) -> Floats:
    """Normalized autocorrelation of each frame at the best period of a voice."""
    correlation = np.fft.irfft(power)[:, :size]
    window = np.correlate(np.hanning(size), np.hanning(size), "full")[size - 1 :]
    low, high = (rate_hz // hz for hz in reversed(PITCH_HZ))
    scaled = correlation[:, low:high] / window[low:high] * window[0]
    best: Floats = scaled.max(axis=1) / np.maximum(correlation[:, 0], _SILENCE)
    return best
