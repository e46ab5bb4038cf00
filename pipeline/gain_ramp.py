"""GainRamp: a change of volume without a click."""

import numpy as np

from pipeline.messages import Samples


class GainRamp:
    """A gain that reaches its `target` over the next block of audio. Set from any thread."""

    def __init__(self) -> None:
        self.target = 1.0
        self._gain = 1.0

    def skip(self) -> None:
        """Be at the target already: nothing is playing that could click."""
        self._gain = self.target

    def apply(self, samples: Samples) -> Samples:
        """The next block, at this gain."""
        gain, self._gain = self._gain, self.target
        if gain == self._gain == 1.0:
            return samples
        return samples * np.linspace(gain, self._gain, len(samples), dtype=np.float32)
