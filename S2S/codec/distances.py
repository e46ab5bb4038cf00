"""Objective distances between a recording and the decoded audio, by torchmetrics."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.audio import (
    scale_invariant_signal_distortion_ratio,
    short_time_objective_intelligibility,
)
from transformers.audio_utils import (
    hertz_to_mel,
    mel_filter_bank,
    mel_to_hertz,
    spectrogram,
    window_function,
)

from pipeline.messages import Samples

RANGE_DB = 80.0
"""Range in dB below the loudest part of the original; anything quieter counts as equal silence."""

BANDS = 80
HOP_MS = 10
_FFT = 2048


@dataclass(frozen=True, slots=True)
class Distances:
    """The distances; None where one is undefined, as for silence."""

    si_sdr_db: float | None
    """Scale-invariant signal-to-distortion ratio of the waveforms. A codec that invents the phase may
    sound well at -10 dB."""
    stoi: float | None
    """Short-time objective intelligibility, from 0 to 1; needs 0.4 s of sound."""
    mel_db: float | None
    """Mean difference of the mel spectra."""


def distances(original: Samples, decoded: Samples, rate_hz: int) -> Distances:
    """Compare two recordings of one length."""
    return Distances(
        _si_sdr_db(original, decoded),
        _stoi(original, decoded, rate_hz),
        _mel_db(original, decoded, rate_hz),
    )


def band_centers_hz(rate_hz: int) -> NDArray[np.float64]:
    """Center frequencies of the bands of `mel_spectra_db`."""
    edges = np.linspace(0.0, hertz_to_mel(rate_hz / 2, "slaney"), BANDS + 2)
    centers: NDArray[np.float64] = mel_to_hertz(edges, "slaney")[1:-1]
    return centers


def mel_spectra_db(recordings: list[Samples], rate_hz: int) -> list[NDArray[np.float64]]:
    """Shape (bands, frames of 10 ms) each: dB below the loudest of the first, from -80 up."""
    filters = mel_filter_bank(
        num_frequency_bins=_FFT // 2 + 1,
        num_mel_filters=BANDS,
        min_frequency=0,
        max_frequency=rate_hz / 2,
        sampling_rate=rate_hz,
        norm="slaney",
        mel_scale="slaney",
    )
    window = window_function(_FFT, "hann")
    hop = rate_hz * HOP_MS // 1000
    powers = [
        spectrogram(each, window, _FFT, hop, power=2.0, mel_filters=filters) for each in recordings
    ]
    loudest = max(float(powers[0].max()), 1e-10)
    return [10 * np.log10(np.maximum(power / loudest, 10 ** (-RANGE_DB / 10))) for power in powers]


def _si_sdr_db(original: Samples, decoded: Samples) -> float | None:
    if original.std() == 0 or decoded.std() == 0:
        return None
    ratio = scale_invariant_signal_distortion_ratio(
        torch.from_numpy(decoded), torch.from_numpy(original), zero_mean=True
    )
    return float(ratio)


def _stoi(original: Samples, decoded: Samples, rate_hz: int) -> float | None:
    if not original.any():
        return None
    with warnings.catch_warnings():
        # this is how torchmetrics reports too little sound
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(
                short_time_objective_intelligibility(
                    torch.from_numpy(decoded), torch.from_numpy(original), rate_hz
                )
            )
        except (RuntimeWarning, ValueError):
            return None


def _mel_db(original: Samples, decoded: Samples, rate_hz: int) -> float | None:
    if not original.any():
        return None
    one, other = mel_spectra_db([original, decoded], rate_hz)
    return float(np.abs(one - other).mean())
