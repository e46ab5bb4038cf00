"""Playback: the audio that a client has received and not played yet."""

import threading
from collections import deque

import numpy as np

from connections.tcp.wire import WireFrame
from pipeline.audio import Gain, from_pcm16
from pipeline.messages import Samples


class Playback:
    """A queue of audio between the network and the sound card, which knows what it plays."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, int, Samples]] = deque()  # turn, first sample, audio
        self._lock = threading.Lock()
        self._gain = Gain()
        self.played = (0, 0)
        """The current turn, and the sample up to which the sound card has been given it."""

    def receive(self, frame: WireFrame) -> None:
        """Append audio from the server."""
        with self._lock:
            self._pieces.append((frame.turn, frame.sample, from_pcm16(frame.payload)))

    def flush(self, turn: int, sample: int) -> None:
        """Drop the audio of `turn` from `sample` on."""
        with self._lock:
            kept = [
                (t, first, audio if t != turn else audio[: max(0, sample - first)])
                for t, first, audio in self._pieces
            ]
            self._pieces = deque(piece for piece in kept if len(piece[2]))

    def duck(self, gain: float) -> None:
        """Play at this gain from the next block on."""
        self._gain.target = gain

    def next_block(self, samples: int) -> Samples:
        """The next audio for the sound card, filled up with silence."""
        block = np.zeros(samples, np.float32)
        filled = 0
        with self._lock:
            while filled < samples and self._pieces:
                turn, first, audio = self._pieces.popleft()
                taken = min(len(audio), samples - filled)
                block[filled : filled + taken] = audio[:taken]
                filled += taken
                self.played = (turn, first + taken)
                if taken < len(audio):
                    self._pieces.appendleft((turn, first + taken, audio[taken:]))
        return self._gain.apply(block)
