"""Playback: the audio that a client has received and not played yet."""

import threading
from collections import deque

import numpy as np

from connections.tcp.wire import WireFrame
from pipeline.audio import Gain, clean, from_pcm16
from pipeline.messages import Samples
from pipeline.resampler import Resampler


class Playback:
    """A queue of audio between the network and the sound card that tracks what is playing.

    It takes audio at the rate of the connection and returns it at that of the sound card.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz, self._to_hz = from_hz, to_hz
        self._resampler = Resampler(from_hz, to_hz)
        self._ready: Samples = np.empty(0, np.float32)
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
        # at least as many as the resampler needs for it; a rounded-up sample waits for the next block
        needed = -(-(samples - len(self._ready)) * self._from_hz // self._to_hz)
        fresh = clean(self._resampler.feed(self._received(max(0, needed))))
        audio = np.concatenate((self._ready, fresh))
        self._ready = audio[samples:]
        return self._gain.apply(audio[:samples])

    def _received(self, samples: int) -> Samples:
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
        return block
