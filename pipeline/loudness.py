"""Loudness of speech, and the bounds of its sound."""

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import Samples

SPEECH_RMS = 0.09
"""The loudness of eSpeak's voices (median of twelve languages), to which other voices are adjusted."""

QUIET_RMS = 0.003
"""Loudness (-50 dB) below which a full-duplex model says nothing: codecs do not return zeros."""

MAX_GAIN = 4.0
"""Limit of amplification: a sound that would need more is meant to be soft."""

_FRAME_MS = 5

_FLOOR = 10 ** (-35 / 20)
"""Amplitude relative to the loudest frame below which a frame is silence: the breath before a sentence
of Piper is 36 to 44 dB softer than that frame, the softest consonant 25 to 34."""


def speech_bounds(samples: Samples, rate_hz: int) -> tuple[int, int]:
    """The samples at which the sound begins and ends; (0, 0) if there is none."""
    frame = rate_hz * _FRAME_MS // 1000
    heard = np.flatnonzero(_heard(_frames(samples, frame)))
    return (int(heard[0]) * frame, int(heard[-1] + 1) * frame) if len(heard) else (0, 0)


def loudness(samples: Samples, rate_hz: int) -> float:
    """Root mean square of the frames that are not silence; 0 if all are."""
    squares = _frames(samples, rate_hz * _FRAME_MS // 1000)
    heard = squares[_heard(squares)]
    return float(np.sqrt(heard.mean())) if len(heard) else 0.0


def leveled(samples: Samples, rate_hz: int, target: float = SPEECH_RMS) -> Samples:
    """The samples at a loudness of `target`. Peaks may exceed [-1, 1]: see `pipeline.audio.clean`."""
    present = loudness(samples, rate_hz)
    return samples * np.float32(min(target / present, MAX_GAIN)) if present else samples


def _frames(samples: Samples, frame: int) -> Samples:
    """The mean square of each whole frame."""
    whole = len(samples) // frame * frame
    means: Samples = np.square(samples[:whole]).reshape(-1, frame).mean(axis=1)
    return means


def _heard(squares: Samples) -> NDArray[np.bool_]:
    heard: NDArray[np.bool_] = squares > squares.max(initial=0.0) * _FLOOR**2
    return heard
