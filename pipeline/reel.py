"""Reel: the audio of a reply that has not been heard yet."""

import numpy as np

from pipeline.messages import Samples


class Reel:
    """Audio of one reply, numbered by sample; what was sent is kept until it was heard.

    So a pause can go back to the sample at which the listener is.
    """

    def __init__(self) -> None:
        self._audio: Samples = np.empty(0, np.float32)
        self._first = 0  # the number of the first sample that is kept
        self.position = 0
        """The next sample to send."""

    @property
    def end(self) -> int:
        """The sample after the last one there is."""
        return self._first + len(self._audio)

    @property
    def unsent(self) -> int:
        """Samples that are there and were not sent."""
        return self.end - self.position

    def append(self, samples: Samples) -> None:
        """Add audio at the end."""
        self._audio = np.concatenate((self._audio, samples))

    def take(self, samples: int) -> Samples:
        """The next samples to send, at most `samples` of them."""
        start = self.position - self._first
        taken = self._audio[start : start + samples]
        self.position += len(taken)
        return taken

    def rewind(self, sample: int) -> None:
        """Send again from `sample` on, or from the earliest that is kept."""
        self.position = max(self._first, min(sample, self.position))

    def forget(self, sample: int) -> None:
        """What lies before `sample` was heard."""
        heard = min(sample, self.position) - self._first
        if heard > 0:
            self._audio = self._audio[heard:]
            self._first += heard
