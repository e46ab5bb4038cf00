"""Resampler: changes the sample rate of a stream, block by block."""

import functools
import math

import numpy as np

from pipeline.messages import Samples

_REACH = 24
"""Samples of the lower rate on either side of the filter's middle, and so its delay: 1.5 ms at 16 kHz.
With half as many, the transition would be twice as wide."""

_CUTOFF = 0.95
"""Middle of the transition, as a share of the lower Nyquist frequency. At 16 kHz the response is flat to
6.9 kHz (0.1 dB) and 80 dB down from 8.5 kHz on, so aliases stay above 7.5 kHz."""

_KAISER_BETA = 7.857
"""Shape of the window for a stop band of 80 dB (Kaiser's formula, 0.1102 (A - 8.7))."""

_MAX_PHASES = 1024
"""Offsets between two samples at which the filter is computed. Usual pairs of rates need fewer (160 from
22,050 to 24,000 Hz) and are exact; for others the offset below is taken, which adds noise at -77 dB."""

_AT_ONCE = 512
"""Samples to compute in one step: their windows (150 kB) stay in the processor's cache."""


class Resampler:
    """Changes the sample rate of a stream, with state, so that blocks join without a click.

    No samples are held back: for n samples in all, ceil(n * to_hz / from_hz) have been returned. Instead
    the sound is late by 24 samples of the lower rate, 1.5 ms between 24 and 16 kHz, whatever the size of
    the blocks; that much of it is lost at the end of a stream. 20 ms of audio take 0.03 ms. `copy.copy`
    makes an independent stream with the same past. If the rates are equal, samples pass through.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        shared = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // shared, from_hz // shared
        self._filters = _filters(from_hz, to_hz)
        self._past: Samples = np.zeros(self._filters.shape[1] - 1, np.float32)
        self._due = 0
        """Time of the next sample to return, from the first of the next block on, in 1/`_up` samples."""

    def feed(self, samples: Samples) -> Samples:
        """Resample a block."""
        if self._up == self._down:
            return samples
        audio = np.concatenate((self._past, samples), dtype=np.float32)
        # a window for each new sample, the last in it; a view, since they overlap
        shape = len(samples), len(self._past) + 1
        windows = np.ndarray(shape, np.float32, audio, strides=audio.strides * 2)
        times = np.arange(self._due, len(samples) * self._up, self._down)
        resampled = np.empty(len(times), np.float32)
        for start in range(0, len(times), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            at, offset = np.divmod(times[part], self._up)
            phase = offset * len(self._filters) // self._up
            np.einsum("ij,ij->i", windows[at], self._filters[phase], out=resampled[part])
        self._due += len(times) * self._down - len(samples) * self._up
        self._past = audio[len(samples) :]
        return resampled


@functools.lru_cache(maxsize=16)
def _filters(from_hz: int, to_hz: int) -> Samples:
    """The low-pass at each offset of an output sample between two input samples, shape (offsets, taps).

    A sinc under a Kaiser window (Crochiere and Rabiner, *Multirate Digital Signal Processing*, 1983), in
    phase with the signal at all frequencies. The gain at 0 Hz is 1 at every offset.
    """
    up, low_hz = to_hz // math.gcd(from_hz, to_hz), min(from_hz, to_hz)
    offsets, reach = min(up, _MAX_PHASES), math.ceil(_REACH * from_hz / low_hz)
    cutoff = _CUTOFF * low_hz / from_hz
    time = np.arange(offsets)[:, np.newaxis] / offsets + reach - 1 - np.arange(2 * reach)
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(0, 1 - (time / reach) ** 2)))
    response = np.sinc(cutoff * time) * window
    filters: Samples = (response / response.sum(axis=1, keepdims=True)).astype(np.float32)
    return filters
