"""Recording: both sides of a conversation on one time line, as a stereo file."""

import threading
from pathlib import Path

import numpy as np

from connections.recorded.sound_writer import SoundWriter
from pipeline.audio import Resampler, clean
from pipeline.messages import Samples

BLOCKS_AT_ONCE = 32
"""Resampling and writing a block of 32 ms costs as much as judging it; a second is written at once."""


class Recording:
    """Left is the user, right is the program. Written as it goes, so that hours need no memory; `exact`:
    the user's side as it came, sample by sample.

    Each side may come from a thread of its own.
    """

    def __init__(self, path: Path, rate_hz: int, input_rate_hz: int, *, exact: bool = False) -> None:
        self._file = SoundWriter(path, rate_hz, channels=2, exact=exact)
        self._safe = (lambda samples: samples) if exact else clean
        self._resampler = Resampler(input_rate_hz, rate_hz)
        self._heard: list[Samples] = []
        self._said: Samples = np.empty(0, np.float32)
        self._written = 0
        self._lock = threading.Lock()

    def heard(self, samples: Samples) -> None:
        """The next block of the user's side, at the rate of the input."""
        self._heard.append(samples)
        if len(self._heard) >= BLOCKS_AT_ONCE:
            self._write(self._resampler.feed(self._safe(np.concatenate(self._heard))))
            self._heard.clear()

    def said(self, samples: Samples, at_sample: int) -> None:
        """The program's side, heard from `at_sample` on; never before what was written."""
        with self._lock:
            start = max(0, at_sample - self._written)
            missing = start + len(samples) - len(self._said)
            if missing > 0:
                self._said = np.concatenate((self._said, np.zeros(missing, np.float32)))
            self._said[start : start + len(samples)] = samples

    def unsaid(self, at_sample: int) -> None:
        """Of what was to be said from `at_sample` on nothing was heard."""
        with self._lock:
            self._said = self._said[: max(0, at_sample - self._written)]

    def close(self) -> None:
        """Write what is left of both sides, and the end of the file."""
        rest = [self._resampler.feed(self._safe(block)) for block in self._heard]
        left = np.concatenate((*rest, self._resampler.flush()))
        silence = np.zeros(max(0, len(self._said) - len(left)), np.float32)
        self._write(np.concatenate((left, silence)))
        self._file.close()

    def _write(self, left: Samples) -> None:
        right = np.zeros(len(left), np.float32)
        with self._lock:
            ready, self._said = self._said[: len(left)], self._said[len(left) :]
            self._written += len(left)
        right[: len(ready)] = ready
        self._file.write(np.stack((left, right), axis=1))
