"""A simulated room: what a microphone hears of a loudspeaker."""

import numpy as np

from pipeline.messages import Samples
from tests.speech import RATE_HZ


def room(reply: Samples, delay_ms: int, gain: float) -> Samples:
    """The echo of a reply at the microphone: late, smeared over 150 ms, and filtered."""
    chance = np.random.default_rng(1)
    late = delay_ms * RATE_HZ // 1000
    response = np.zeros(late + 2400)
    response[late] = 1.0
    response[late + 1 :] += chance.normal(0, 0.16, 2399) * np.exp(-np.arange(2399) / 500)
    return (gain * np.convolve(reply, response)[: len(reply)]).astype(np.float32)


def noise(samples: int, level_db: float, seed: int = 0) -> Samples:
    """A microphone's own noise."""
    return np.random.default_rng(seed).normal(0, 10 ** (level_db / 20), samples).astype(np.float32)
