"""A room that somebody else speaks in, a few meters away: the impulse response of a box, by its mirror
images (Allen and Berkley 1979)."""

from dataclasses import dataclass

import numpy as np

from benchmarks.panel.noises import RATE_HZ, Chance, to_samples
from pipeline.messages import Samples

SOUND_M_S = 343.0
ORDER = 9
"""Mirror images of the room to each side."""

MAX_S = 0.6
WALL_TOP_HZ = 5000.0
"""Frequency above which walls and air swallow most of what is reflected."""


@dataclass(frozen=True)
class Room:
    """The response of a room to a click, as the microphone hears it; the direct sound has height 1."""

    response: Samples
    distance_m: float

    @classmethod
    def of(cls, chance: Chance) -> "Room":
        """A room of 3 to 6 m, with a microphone on a table and a mouth 2 to 4 m away."""
        size = np.array([chance.uniform(4, 6.5), chance.uniform(3, 5), chance.uniform(2.3, 2.9)])
        microphone = size * [chance.uniform(0.15, 0.3), chance.uniform(0.3, 0.7), 0.3]
        mouth = size * [chance.uniform(0.65, 0.9), chance.uniform(0.15, 0.85), 0.55]
        reflected = chance.uniform(0.75, 0.88)
        distance_m = float(np.linalg.norm(mouth - microphone))
        response = np.zeros(int(MAX_S * RATE_HZ))
        grid = np.arange(-ORDER, ORDER + 1)
        images = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), -1).reshape(-1, 3)
        for mirrored in np.ndindex(2, 2, 2):
            sign = 1 - 2 * np.array(mirrored)
            way_m = np.linalg.norm(sign * mouth + 2 * images * size - microphone, axis=1)
            bounces = np.abs(2 * images - np.array(mirrored)).sum(axis=1)
            at = np.rint((way_m - distance_m) / SOUND_M_S * RATE_HZ).astype(int)
            near = at < len(response)
            strength = reflected**bounces * distance_m / way_m
            np.add.at(response, at[near], strength[near])
        return cls(_dull(to_samples(response)), distance_m)

    def far(self, speech: Samples) -> Samples:
        """The speech as it sounds from there, and the room after it."""
        size = len(speech) + len(self.response)
        spectrum = np.fft.rfft(speech, size) * np.fft.rfft(self.response, size)
        return to_samples(np.fft.irfft(spectrum, size))


def _dull(response: Samples) -> Samples:
    """Make the reflections duller than the direct sound, which is the first sample."""
    spectrum = np.fft.rfft(response[1:])
    hz = np.fft.rfftfreq(len(response) - 1, 1 / RATE_HZ)
    soft = np.fft.irfft(spectrum / np.sqrt(1 + (hz / WALL_TOP_HZ) ** 4), len(response) - 1)
    return np.concatenate((response[:1], to_samples(soft)))
