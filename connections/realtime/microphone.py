"""Microphone: what comes of a microphone over WebRTC, as one stream."""

from typing import Any

import numpy as np
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import MAX_MISORDER, JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add

from pipeline.audio import from_pcm16
from pipeline.messages import Samples

MAX_GAP_S = 1.0
"""Of audio that was lost, or that a client does not send while nobody speaks; after so much silence
every utterance is over."""


class Microphone:
    """Reads what was decoded; what is missing in it is silence."""

    def __init__(self) -> None:
        self._next_s: float | None = None

    def read(self, frame: Any) -> tuple[Samples, int]:
        """A decoded frame: mono float32, and its rate."""
        rate_hz: int = frame.sample_rate
        channels = len(frame.layout.channels)
        pcm = from_pcm16(bytes(frame.planes[0]))[: frame.samples * channels]
        samples: Samples = pcm if channels == 1 else (pcm[::2] + pcm[1::2]) / np.float32(2)
        if self._next_s is not None:
            gap = min(frame.time - self._next_s, MAX_GAP_S)
            silence = np.zeros(max(0, round(gap * rate_hz)), np.float32)
            samples = np.concatenate((silence, samples))
        self._next_s = frame.time + frame.samples / rate_hz
        return samples, rate_hz


class Newest(JitterBuffer):  # type: ignore[misc]
    """Passes on each packet as it comes, and leaves out what is late.

    The VAD needs no even flow. aiortc's own buffer holds 80 ms back, and after a packet that was lost
    300 ms from then on (github.com/aiortc/aiortc/issues/543).
    """

    def __init__(self) -> None:
        super().__init__(capacity=1)
        self._newest: int | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Whether a picture is wanted anew, and what can be decoded."""
        number = packet.sequence_number
        if self._newest is not None and uint16_add(self._newest, -number) < MAX_MISORDER:
            return False, None  # farther behind it is a new count, not a late packet
        self._newest = number
        return False, JitterFrame(packet._data, packet.timestamp)


_BUFFER = "_RTCRtpReceiver__jitter_buffer"


def take_packets_at_once(receiver: RTCRtpReceiver) -> None:
    """There is no other way to say it; pyproject.toml holds aiortc where this is right."""
    assert hasattr(receiver, _BUFFER)
    setattr(receiver, _BUFFER, Newest())
