"""Reel: the unheard audio of a reply."""

import numpy as np

from pipeline.messages import Samples


class Reel:
    """Audio of one reply, numbered by sample; sent audio is kept until it was heard.

    A pause can then go back to the sample last heard.
    """

    def __init__(self) -> None:
        self._audio: Samples = np.empty(0, np.float32)
        self._first = 0  # the number of the first sample that is kept
        self.position = 0
        """The next sample to send."""

    @property
    def end(self) -> int:
        """The sample after the last one."""
        return self._first + len(self._audio)

    @property
    def unsent(self) -> int:
        """Number of samples that have not been sent."""
        return self.end - self.position

    def append(self, samples: Samples) -> None:
        """Add audio at the end."""
        self._audio = np.concatenate((self._audio, samples))

    def cut(self, end: int) -> None:
        """Remove the unsent audio after sample `end`."""
        kept = max(end, self.position) - self._first
        self._audio = self._audio[:kept]

    def take(self, samples: int) -> Samples:
        """Return the next samples to send, at most `samples` of them."""
        start = self.position - self._first
        taken = self._audio[start : start + samples]
        self.position += len(taken)
        return taken

    def rewind(self, sample: int) -> None:
        """Send again from `sample` on, or from the earliest that is kept."""
        self.position = max(self._first, min(sample, self.position))

    def forget(self, sample: int) -> None:
        """Discard audio before `sample`: it was heard."""
        heard = min(sample, self.position) - self._first
        if heard > 0:
            self._audio = self._audio[heard:]
            self._first += heard
