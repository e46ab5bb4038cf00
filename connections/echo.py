"""EchoCanceller: takes what the loudspeaker plays out of what the microphone hears."""

import importlib.util
import threading

import numpy as np

from pipeline.messages import Samples
from utils.audio import from_pcm16, to_pcm16

FRAMES_PER_S = 100
"""The canceller works on 10 ms at a time."""

LEARNING_S = 1.5
"""It has to hear so much of a reply to learn the room; until then what is left of the echo would pass
for speech, so the microphone is not believed. In simulated rooms, 40 to 250 ms away and up to 6 dB over
the user, the last such sound came 1.4 s after the first word."""

AUDIBLE = 0.001
"""Amplitude from which something is played, and can be learnt from."""

HALF_DUPLEX = (
    "it does not listen while it speaks, since no echo canceller is installed: pip install livekit, or "
    "wear headphones and say --headphones"
)

DIES_AWAY_S = 0.5
"""After the last of it was played: the way to the loudspeaker and back, and the room."""


def can_cancel_echo(*rates_hz: int) -> bool:
    """Whether the library is installed, and 10 ms are whole samples at these rates."""
    whole = all(rate_hz % FRAMES_PER_S == 0 for rate_hz in rates_hz)
    return whole and importlib.util.find_spec("livekit") is not None


class EchoCanceller:
    """WebRTC's, as livekit carries it: 0.08 ms for 10 ms of audio.

    For one device, that of this process: only there is it known what is played. Loudspeaker and
    microphone may have threads and rates of their own.
    """

    def __init__(self, heard_rate_hz: int, played_rate_hz: int) -> None:
        from livekit import rtc

        self._frame = rtc.AudioFrame
        self._canceller = rtc.AudioProcessingModule(echo_cancellation=True, high_pass_filter=True)
        self._canceller.set_stream_delay_ms(0)  # it finds the delay itself
        self._heard_rate_hz, self._played_rate_hz = heard_rate_hz, played_rate_hz
        self._heard = self._played = np.empty(0, np.float32)
        self._to_learn = int(LEARNING_S * FRAMES_PER_S)
        self._sounding = 0
        self._lock = threading.Lock()

    def played(self, samples: Samples) -> None:
        """These go to the loudspeaker."""
        size = self._played_rate_hz // FRAMES_PER_S
        with self._lock:
            self._played = np.concatenate((self._played, samples))
            while len(self._played) >= size:
                frame, self._played = self._played[:size], self._played[size:]
                self._canceller.process_reverse_stream(
                    self._frame(to_pcm16(frame), self._played_rate_hz, 1, size)
                )
                if np.max(np.abs(frame)) >= AUDIBLE:
                    self._to_learn -= 1
                    self._sounding = int(DIES_AWAY_S * FRAMES_PER_S)

    def heard(self, samples: Samples) -> Samples:
        """What the microphone hears besides; in whole frames, so it may lag by up to 10 ms."""
        size = self._heard_rate_hz // FRAMES_PER_S
        cleaned = [np.empty(0, np.float32)]
        with self._lock:
            self._heard = np.concatenate((self._heard, samples))
            while len(self._heard) >= size:
                data, self._heard = bytearray(to_pcm16(self._heard[:size])), self._heard[size:]
                frame = self._frame(data, self._heard_rate_hz, 1, size)
                self._canceller.process_stream(frame)
                self._sounding -= 1
                believed = self._to_learn <= 0 or self._sounding <= 0
                cleaned.append(from_pcm16(bytes(frame.data)) * np.float32(believed))
        return np.concatenate(cleaned)
