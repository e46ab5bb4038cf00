"""Energy: a voice detector without a model, for machines on which no other one runs."""

from collections import deque
from collections.abc import Sequence

from pipeline.audio import rms
from pipeline.errors import UserError
from pipeline.messages import Samples

FIRST_THRESHOLD = 0.001
"""RMS, minus 60 dB: above the noise of a quiet room on a usual microphone."""

OVER_NOISE = 4.0
"""Speech is this many times louder than the noise: 12 dB."""

MEMORY_S = 3.0
"""The noise floor is the quietest window of the last seconds (minimum statistics, after Martin 2001):
people pause within three seconds, fans do not."""


class EnergyDetector:
    """Takes a sound for speech if it is clearly louder than the noise floor, which is tracked."""

    name = "energy"

    def __init__(self, sample_rate_hz: int = 16000) -> None:
        if sample_rate_hz not in (8000, 16000):
            raise UserError(f"--sample_rate: expected 16000 or 8000 Hz, got {sample_rate_hz}")
        self.sample_rate_hz = sample_rate_hz
        self.window_samples = sample_rate_hz * 32 // 1000

    def open(self) -> "EnergyStream":
        """Open the stream of one conversation, with a noise floor of its own."""
        return EnergyStream(int(MEMORY_S * self.sample_rate_hz / self.window_samples))

    def judge(self, streams: Sequence["EnergyStream"], windows: Sequence[Samples]) -> list[float]:
        return [stream.probability(window) for stream, window in zip(streams, windows, strict=True)]


class EnergyStream:
    """Tracks the noise floor of one microphone."""

    def __init__(self, memory_windows: int) -> None:
        self._memory = memory_windows
        self.reset()

    @property
    def threshold(self) -> float:
        """The RMS at which the probability is one half."""
        return max(FIRST_THRESHOLD, OVER_NOISE * min(self._levels))

    def probability(self, window: Samples) -> float:
        """One half at the threshold, four fifths at twice that."""
        level = rms(window)
        self._levels.append(level)
        loudness = (level / self.threshold) ** 2
        return loudness / (1 + loudness)

    def reset(self) -> None:
        quiet = FIRST_THRESHOLD / OVER_NOISE
        self._levels = deque([quiet] * self._memory, maxlen=self._memory)
