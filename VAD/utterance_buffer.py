"""UtteranceBuffer: what the user is saying, while they are saying it."""

from collections import deque

import numpy as np

from pipeline.messages import Samples

MAX_GAP_S = 0.5
"""Silence kept between the two halves of what the user said when they went on before the answer."""


class UtteranceBuffer:
    """Windows of audio since somebody began to speak, behind what they said before a pause.

    It begins with what was heard just before, since the first window that sounds like speech is seldom
    the first of it; it grows, is looked at by whoever works on it already, and ends.
    """

    def __init__(self, rate_hz: int, pad_windows: int) -> None:
        self._pad = pad_windows
        self._just_heard: deque[Samples] = deque(maxlen=pad_windows + 1)
        self._windows: list[Samples] = []
        self._before: Samples = np.empty(0, np.float32)
        self._gap = np.zeros(int(MAX_GAP_S * rate_hz), np.float32)

    def __len__(self) -> int:
        """Samples, with what was said before; windows are of one size."""
        said = len(self._windows) * len(self._windows[0]) if self._windows else 0
        return len(self._before) + said

    @property
    def before_samples(self) -> int:
        """How much was said before, with the pause behind it."""
        return len(self._before)

    def hear(self, window: Samples) -> None:
        """The next window of the microphone, whether it belongs to an utterance or not."""
        self._just_heard.append(window)

    def begin(self) -> None:
        """The window heard last is the first that sounds like speech."""
        self._windows = list(self._just_heard)

    def grow(self) -> None:
        """The window heard last goes on with it."""
        self._windows.append(self._just_heard[-1])

    def samples(self, silent_windows: int, kept_silence: int | None = None) -> Samples:
        """All of it, with a little of the silence behind it: the last so many windows had no voice."""
        pad = self._pad if kept_silence is None else kept_silence
        kept = len(self._windows) - max(0, silent_windows - pad)
        return np.concatenate((self._before, *self._windows[:kept]))

    def end(self, silent_windows: int) -> None:
        """It is over; if the user goes on all the same, it is what was said before."""
        self._before = np.concatenate((self.samples(silent_windows), self._gap))
        self._windows = []

    def forget_before(self) -> None:
        """What was said before stands on its own."""
        self._before = self._before[:0]

    def forget(self) -> None:
        """Nothing is being said, and nothing was heard just before."""
        self._windows = []
        self._just_heard.clear()
