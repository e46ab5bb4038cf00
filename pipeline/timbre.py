"""Timbre: loudness, brightness and voicing of a stretch of speech."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import Samples

Floats: TypeAlias = NDArray[np.float64]

FRAME_MS = 32
ACTIVE_DB = 25.0
"""Frames at most this much softer than the loudest belong to the speech; the rest is pauses and room."""

BRIGHT_HZ = 2800.0
"""Distance, walls and hands before the mouth take most of the sound above this frequency."""

PITCH_HZ = (70, 400)
VOICED = 0.5
"""Normalized autocorrelation at the period of the pitch from which a frame counts as voiced."""

_SILENCE = 1e-10


@dataclass(frozen=True, slots=True)
class Timbre:
    """Properties of the sound, from its frames of 32 ms."""

    level_db: float
    """Level of the speech (80th percentile of its frames), in dB of full scale."""
    brightness_db: float
    """Energy above `BRIGHT_HZ`, in dB relative to all of it."""
    voiced: float
    """Share of frames with a pitch, 0 to 1: few in coughs and sneezes."""
    depth_db: float
    """Level of the softest tenth of the frames between the first and the last of the speech, in dB below
    their median. Reverberation fills the gaps between syllables."""
    movement_db: float
    """Change of the spectrum from frame to frame, in dB: a hum hardly moves."""
    pitch: float
    """Median pitch of the voiced frames, in octaves above `PITCH_HZ`; 0 without any."""

    @classmethod
    def of(cls, samples: Samples, rate_hz: int) -> "Timbre | None":
        """Measure `samples`; None for silence and for less than two frames."""
        size = rate_hz * FRAME_MS // 1000
        frames = samples[: len(samples) // size * size].reshape(-1, size)
        levels = 10 * np.log10(np.square(frames).mean(axis=1, dtype=np.float64) + _SILENCE)
        active = np.flatnonzero(levels > levels.max(initial=-math.inf) - ACTIVE_DB)
        if len(frames) < 2 or levels.max() <= 10 * math.log10(_SILENCE):
            return None
        loud = frames[active].astype(np.float64) * np.hanning(size)
        power = np.square(np.abs(np.fft.rfft(loud, 2 * size)))
        hz = np.fft.rfftfreq(2 * size, 1 / rate_hz)
        within = levels[active[0] : active[-1] + 1]
        periodicity, pitch = _pitch(power, size, rate_hz)
        voiced = periodicity > VOICED
        bright = power[:, hz >= BRIGHT_HZ].sum() / max(power[:, hz > 60].sum(), _SILENCE)
        return cls(
            level_db=float(np.percentile(levels[active], 80)),
            brightness_db=10 * math.log10(bright + 1e-6),
            voiced=float(np.mean(voiced)),
            depth_db=float(np.median(within) - np.percentile(within, 10)),
            movement_db=_movement(power, hz),
            pitch=float(np.median(pitch[voiced])) if voiced.any() else 0.0,
        )


def _pitch(power: Floats, size: int, rate_hz: int) -> tuple[Floats, Floats]:
    """Normalized autocorrelation of each frame at the best period of a voice, and that pitch."""
    correlation = np.fft.irfft(power)[:, :size]
    window = np.correlate(np.hanning(size), np.hanning(size), "full")[size - 1 :]
    low, high = (rate_hz // hz for hz in reversed(PITCH_HZ))
    scaled = correlation[:, low:high] / window[low:high] * window[0]
    best = scaled.max(axis=1) / np.maximum(correlation[:, 0], _SILENCE)
    return best, np.log2(rate_hz / (low + scaled.argmax(axis=1)) / PITCH_HZ[0])


def _movement(power: Floats, hz: Floats) -> float:
    edges = np.searchsorted(hz, (100, 300, 500, 800, 1200, 1800, 2600, 3600, 5000))
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    levels = 10 * np.log10(bands + 1e-6 * bands.sum(axis=1, keepdims=True) + _SILENCE)
    steps = np.abs(np.diff(levels - levels.mean(axis=1, keepdims=True), axis=0))
    return float(steps.mean()) if len(steps) else 0.0
