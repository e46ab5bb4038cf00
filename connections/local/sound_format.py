"""SoundFormat: the format in which a sound device takes or gives audio."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.audio import from_pcm16, to_mono, to_pcm16
from pipeline.messages import Samples

DTYPES = ("int16", "float32", "int32")
"""Sample formats, the preferred one first. 24-bit devices take one of the two wider ones."""

_INT32_SCALE = 2147483647


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """Rate, channels and sample format of a stream. Inside the program audio is mono float32."""

    rate_hz: int
    channels: int
    dtype: str
    """One of `DTYPES`, in the byte order of the machine."""

    def __str__(self) -> str:
        channels = "1 channel" if self.channels == 1 else f"{self.channels} channels"
        return f"{self.rate_hz} Hz, {channels}, {self.dtype}"

    def decode(self, data: Any) -> Samples:
        """Interleaved bytes of a microphone ▶ mono float32 in [-1, 1], a copy.

        Two channels are averaged: a stereo pair, or a microphone in either socket of an interface.
        Further channels are left out: on interfaces they are other sockets, on microphone arrays the
        single capsules and the loudspeaker's signal, which would come back as an echo.
        """
        match self.dtype:
            case "int16":
                audio = from_pcm16(data)
            case "int32":
                audio = np.frombuffer(data, np.int32).astype(np.float32) / np.float32(2**31)
            case _:
                audio = np.clip(np.nan_to_num(np.frombuffer(data, np.float32)), -1, 1)
        return to_mono(audio.reshape(-1, self.channels)[:, :2])

    def encode(self, samples: Samples) -> bytes:
        """Mono float32 in [-1, 1] ▶ interleaved bytes for a loudspeaker, the same on all channels."""
        audio = np.repeat(samples, self.channels)
        match self.dtype:
            case "int16":
                return to_pcm16(audio)
            case "int32":
                return np.rint(audio.astype(np.float64) * _INT32_SCALE).astype(np.int32).tobytes()
            case _:
                return audio.astype(np.float32).tobytes()
