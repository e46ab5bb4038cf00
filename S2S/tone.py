"""Tone: answers with a test tone. It proves the way of the audio without any model."""

from collections.abc import Iterator

import numpy as np

from pipeline.messages import Samples
from pipeline.turn import CancelToken
from TTS.base import AudioChunk
from utils.audio import rms

LABEL = "TEST TONE"
DURATION_S = 1.5
PEAK = 0.3
BASE_HZ = 440
PER_LOUDNESS_HZ = 200
VIBRATO_HZ = 2
VIBRATO_DEPTH_HZ = 50


class ToneResponder:
    """440 Hz, and up to 200 Hz more the louder you spoke, swaying by 50 Hz twice a second."""

    name = "tone"
    slots = 4
    sample_rate_hz = 16000

    def respond(self, samples: Samples, cancel: CancelToken) -> Iterator[tuple[AudioChunk, str | None]]:
        """One and a half seconds of tone."""
        time_s = np.arange(int(DURATION_S * self.sample_rate_hz)) / self.sample_rate_hz
        frequency = BASE_HZ + PER_LOUDNESS_HZ * rms(samples)
        sway = VIBRATO_DEPTH_HZ / VIBRATO_HZ * (1 - np.cos(2 * np.pi * VIBRATO_HZ * time_s))
        tone = PEAK * np.sin(2 * np.pi * frequency * time_s + sway)
        yield AudioChunk(tone.astype(np.float32), self.sample_rate_hz), LABEL

    def close(self) -> None:
        """Nothing to free."""
