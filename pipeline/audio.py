"""Audio arithmetic. Inside the program audio is mono float32 in [-1, 1]; on the wire it is int16."""

import math
from collections.abc import Iterator

import numpy as np

from pipeline.messages import Samples

RATES_HZ = range(8000, 48001)
"""Sample rates that a client may choose."""

READABLE, NOT_READABLE = "WAV, FLAC, MP3, Ogg or AIFF", "something else or a damaged file"
"""Words of errors about recordings: the formats that are expected, and one that cannot be read."""

_KNEE = 0.9
"""Threshold of the limiter, 1 dB under full scale: above it the curve bends toward 1."""


def from_pcm16(data: bytes | bytearray | memoryview) -> Samples:
    """Little-endian int16 ▶ float32 in [-1, 1). The length must be even."""
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


def to_pcm16(samples: Samples) -> bytes:
    """Float32 in [-1, 1] ▶ little-endian int16."""
    return np.rint(samples * 32767).astype("<i2").tobytes()


class WholeSamples:
    """Joins the pieces of a stream of samples, which may be cut anywhere, even inside a sample."""

    def __init__(self) -> None:
        self._half = b""

    def take(self, data: bytes, bytes_per_sample: int = 2) -> bytes:
        """The complete samples so far; the beginning of another waits for its rest."""
        data = self._half + data
        whole = len(data) - len(data) % bytes_per_sample
        self._half = data[whole:]
        return data[:whole]

    def clear(self) -> None:
        """Drop the beginning of a sample: what comes next is not its rest."""
        self._half = b""


def to_mono(samples: Samples) -> Samples:
    """Shape (samples,) or (samples, channels) ▶ (samples,), the mean of the channels."""
    return samples if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float32)


def clean(samples: Samples) -> Samples:
    """Make samples safe: NaN and infinities become 0, peaks are limited to [-1, 1].

    The limiter is soft above 0.9 (a tanh knee), so a peak is rounded instead of cut.
    """
    peak = np.abs(samples).max(initial=0.0)
    if not math.isfinite(peak):
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        peak = np.abs(samples).max(initial=0.0)
    if peak <= _KNEE:
        return samples
    magnitude = np.abs(samples)
    room = 1 - _KNEE
    limited = _KNEE + room * np.tanh((magnitude - _KNEE) / room)
    return np.where(magnitude <= _KNEE, samples, np.sign(samples) * limited).astype(np.float32)


def rms(samples: Samples) -> float:
    """Root mean square; 0 for no samples."""
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def split_at_quiet(samples: Samples, rate_hz: int, longest_s: float) -> list[Samples]:
    """Split into parts of at most `longest_s`, at the quietest 100 ms in the later half of each part."""
    longest, window = int(longest_s * rate_hz), rate_hz // 10
    parts = []
    while len(samples) > longest:
        energy = np.cumsum(np.square(samples[longest // 2 : longest], dtype=np.float64))
        cut = longest // 2 + int(np.argmin(energy[window:] - energy[:-window])) + window // 2
        parts.append(samples[:cut])
        samples = samples[cut:]
    return [*parts, samples]


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Resample a whole recording; a stream takes a `Resampler`."""
    if from_hz == to_hz:
        return samples
    import soxr  # here: isolated engines have an environment without it

    resampled: Samples = soxr.resample(samples, from_hz, to_hz)
    return resampled


class Gain:
    """A gain that changes without a click: the change is spread over one block."""

    def __init__(self) -> None:
        self.target = 1.0
        """The gain at the end of the next block; may be set from any thread."""
        self._present = 1.0

    def apply(self, samples: Samples) -> Samples:
        """Apply the gain to the next block; at a steady gain of 1 the block is returned as it is."""
        start, end = self._present, self.target
        if start == end == 1.0:
            return samples
        self._present = end
        return samples * np.linspace(start, end, len(samples), dtype=np.float32)


class Framer:
    """Cuts a stream of samples into frames of one size; an incomplete frame waits for more samples.

    Each frame begins with the last `overlap` samples of the one before it.
    """

    def __init__(self, size: int, overlap: int = 0) -> None:
        self._size = size
        self._hop = size - overlap
        self._rest: Samples = np.empty(0, np.float32)

    def feed(self, samples: Samples) -> Iterator[Samples]:
        """Add samples; yields the frames that are complete."""
        self._rest = np.concatenate((self._rest, samples))
        while len(self._rest) >= self._size:
            frame, self._rest = self._rest[: self._size], self._rest[self._hop :]
            yield frame
