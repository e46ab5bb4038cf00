"""Recording: both sides of a conversation on one time line, as a stereo file."""

import threading
from pathlib import Path

import numpy as np

from connections.recorded.sound_writer import SoundWriter
from pipeline.audio import clean
from pipeline.messages import Samples
from pipeline.resampler import Resampler

BLOCKS_AT_ONCE = 32
"""Blocks to collect before writing. Resampling and writing a single block of 32 ms costs as much as the
VAD's work on it, so a second is written at once."""


class Recording:
    """A stereo file: left is the user, right the program. Written as the session goes, so that hours
    need no memory; `exact`: the user's side is kept as it came, sample by sample.

    Each side may come from its own thread.
    """

    def __init__(self, path: Path, rate_hz: int, input_rate_hz: int, *, exact: bool = False) -> None:
        self._file = SoundWriter(path, rate_hz, channels=2, exact=exact)
        self._safe = (lambda samples: samples) if exact else clean
        self._resampler = Resampler(input_rate_hz, rate_hz)
        self._user: list[Samples] = []
        self._reply: Samples = np.empty(0, np.float32)
        self._written = 0
        self._lock = threading.Lock()

    def add_user(self, samples: Samples) -> None:
        """Append a block to the user's side, at the rate of the input."""
        self._user.append(samples)
        if len(self._user) >= BLOCKS_AT_ONCE:
            self._write(self._resampler.feed(self._safe(np.concatenate(self._user))))
            self._user.clear()

    def add_reply(self, samples: Samples, at_sample: int) -> None:
        """Add the program's audio, heard from `at_sample` on. What is already written stays as it is."""
        with self._lock:
            start = max(0, at_sample - self._written)
            missing = start + len(samples) - len(self._reply)
            if missing > 0:
                self._reply = np.concatenate((self._reply, np.zeros(missing, np.float32)))
            self._reply[start : start + len(samples)] = samples

    def cut_reply(self, at_sample: int) -> None:
        """Remove the program's audio from `at_sample` on: it was not heard."""
        with self._lock:
            self._reply = self._reply[: max(0, at_sample - self._written)]

    def close(self) -> None:
        """Write the rest of both sides, and close the file."""
        rest = np.concatenate((np.empty(0, np.float32), *self._user))
        left = self._resampler.feed(self._safe(rest))
        silence = np.zeros(max(0, len(self._reply) - len(left)), np.float32)
        self._write(np.concatenate((left, silence)))
        self._file.close()

    def _write(self, left: Samples) -> None:
        right = np.zeros(len(left), np.float32)
        with self._lock:
            ready, self._reply = self._reply[: len(left)], self._reply[len(left) :]
            self._written += len(left)
        right[: len(ready)] = ready
        self._file.write(np.stack((left, right), axis=1))
