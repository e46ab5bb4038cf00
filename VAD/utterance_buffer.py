"""UtteranceBuffer: the audio of the utterance that the user is speaking."""

from collections import deque

import numpy as np

from pipeline.messages import Samples

MAX_GAP_S = 0.5
"""Silence kept between the two halves of an utterance whose speaker went on before the answer."""


class UtteranceBuffer:
    """The windows of the utterance, and in front of them the part before the pause, if the user went on.

    An utterance begins with the `pad_windows` windows before its first voiced one, since a word usually
    begins earlier than that. All windows have the same size.
    """

    def __init__(self, rate_hz: int, pad_windows: int) -> None:
        self._pad = pad_windows
        self._recent: deque[Samples] = deque(maxlen=pad_windows + 1)
        self._windows: list[Samples] = []
        self._before: Samples = np.empty(0, np.float32)
        self._gap = np.zeros(int(MAX_GAP_S * rate_hz), np.float32)
        self.length = 0
        """Number of samples, including those from before the pause."""
        self.settled = 0
        """Number of samples at the beginning that belong to a turn of the user for certain; what follows
        may be a cough, or not meant for the program."""

    @property
    def before_samples(self) -> int:
        """Number of samples from before the pause, including the pause itself."""
        return len(self._before)

    def keep(self, window: Samples) -> None:
        """Keep a window that belongs to no utterance; one may begin right after it."""
        self._recent.append(window)

    def begin(self, window: Samples) -> None:
        """Begin an utterance, of which this window is the first voiced one."""
        self._recent.append(window)
        self._windows = list(self._recent)
        self.length = len(self._before) + len(self._windows) * len(window)

    def grow(self, window: Samples) -> None:
        """Add a window to the utterance."""
        self._recent.append(window)
        self._windows.append(window)
        self.length += len(window)

    def samples(self, silent_windows: int, kept_silence: int | None = None) -> Samples:
        """The utterance. Of the `silent_windows` at its end `kept_silence` are kept, by default as many
        as pad its beginning."""
        pad = self._pad if kept_silence is None else kept_silence
        kept = len(self._windows) - max(0, silent_windows - pad)
        return np.concatenate((self._before, *self._windows[:kept]))

    def end(self, silent_windows: int) -> None:
        """End the utterance. If the user goes on after all, it is the part before the pause."""
        self._before = np.concatenate((self.samples(silent_windows), self._gap))
        self._windows = []
        self.length = len(self._before)

    def settle_before(self) -> None:
        """Mark the part before the pause as a turn, and the utterance as one that may be none."""
        self.settled = len(self._before)

    def leave_out_last(self) -> None:
        """Leave out the part that was not settled of the part before the pause: it was no speech to the
        program."""
        self.length -= len(self._before) - self.settled
        self._before = self._before[: self.settled]

    def forget_settled(self) -> None:
        """Forget the part that belongs to a turn for certain: it has been answered."""
        self.length -= self.settled
        self._before = self._before[self.settled :]
        self.settled = 0

    def forget_before(self) -> None:
        """Let the utterance stand alone, without the part before the pause."""
        self.settled = 0
        self.leave_out_last()

    def forget(self) -> None:
        """Forget the utterance and the windows before it; the part before the pause stays."""
        self._windows = []
        self._recent.clear()
        self.length = len(self._before)
