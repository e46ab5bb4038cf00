"""PcmStream: turns the bytes of uncompressed audio into samples, as they come."""

from dataclasses import dataclass

import numpy as np

from pipeline.audio import WholeSamples, to_mono
from pipeline.messages import Samples

RATES_HZ = range(4000, 192001)
"""Plausible sample rates for speech; others are refused."""

MAX_CHANNELS = 32

MAX_OVER = 16.0
"""Floats above this (24 dB over full scale) are not samples in [-1, 1] that are a bit too loud, but
integers written as floats, which limiting would turn into noise."""


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Layout of uncompressed audio. Raises `ValueError` for an impossible rate or number of channels."""

    rate_hz: int
    channels: int = 1
    dtype: str = "<i2"
    """NumPy's name for the type of a sample; "<i3" and ">i3" are integers of 24 bits."""

    def __post_init__(self) -> None:
        if self.rate_hz not in RATES_HZ or not 1 <= self.channels <= MAX_CHANNELS:
            raise ValueError(f"expected audio, got {self.rate_hz} Hz, {self.channels} channels")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return int(self.dtype[-1]) * self.channels


class PcmStream:
    """Decodes a stream that may be cut anywhere, also within a sample."""

    def __init__(self, layout: PcmFormat) -> None:
        self._layout = layout
        self._pieces = WholeSamples()

    @property
    def rate_hz(self) -> int:
        """Sample rate."""
        return self._layout.rate_hz

    def feed(self, data: bytes) -> Samples:
        """The complete samples, mono. Raises `ValueError` for floats far over full scale."""
        whole = self._pieces.take(data, self._layout.frame_bytes)
        samples = _floats(whole, self._layout.dtype)
        return to_mono(samples.reshape(-1, self._layout.channels))


def _floats(data: bytes, dtype: str) -> Samples:
    """Samples of any type ▶ float32 in [-1, 1]."""
    if dtype.endswith("i3"):
        data, dtype = _as_32_bits(data, dtype), f"{dtype[0]}i4"
    values = np.frombuffer(data, dtype)
    if "f" in dtype:
        if np.abs(values[np.isfinite(values)]).max(initial=0.0) > MAX_OVER:
            raise ValueError("expected floats in [-1, 1], got some far over full scale")
        return values.astype(np.float32)
    middle = 128 if dtype == "u1" else 0
    full_scale = 2 ** (8 * int(dtype[-1]) - 1)
    return (values.astype(np.float32) - np.float32(middle)) / np.float32(full_scale)


def _as_32_bits(data: bytes, dtype: str) -> bytes:
    """Integers of 24 bits, shifted up by 8."""
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    place = slice(1, 4) if dtype[0] == "<" else slice(0, 3)
    wide[:, place] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.tobytes()
