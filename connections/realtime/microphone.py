"""Microphone: joins the frames of a microphone over WebRTC to one stream."""

from typing import Any

import numpy as np
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import MAX_MISORDER, JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_add

from pipeline.audio import from_pcm16
from pipeline.messages import Samples

MAX_GAP_S = 1.0
"""Silence to insert for audio that was lost, or that a client does not send while its user is silent.
After this much silence every utterance is over."""


class Microphone:
    """Reads decoded frames, and fills gaps between them with silence."""

    def __init__(self) -> None:
        self._next_s: float | None = None

    def read(self, frame: Any) -> tuple[Samples, int]:
        """The samples of a decoded frame, mono float32, and their rate."""
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


class NoJitterBuffer(JitterBuffer):  # type: ignore[misc]
    """Passes on each packet as it arrives, and drops late ones.

    The VAD does not need an even flow. aiortc's own buffer holds back 80 ms, and 300 ms from the first
    lost packet on (github.com/aiortc/aiortc/issues/543).
    """

    def __init__(self) -> None:
        super().__init__(capacity=1)
        self._newest: int | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """True if a new key frame is needed, and the frame that can be decoded."""
        number = packet.sequence_number
        if self._newest is not None and uint16_add(self._newest, -number) < MAX_MISORDER:
            return False, None  # farther behind, the numbers have started anew
        self._newest = number
        return False, JitterFrame(packet._data, packet.timestamp)


_BUFFER = "_RTCRtpReceiver__jitter_buffer"


def take_packets_at_once(receiver: RTCRtpReceiver) -> None:
    """Replace the receiver's jitter buffer. aiortc offers no other way; pyproject.toml pins a version
    for which this works."""
    assert hasattr(receiver, _BUFFER)
    setattr(receiver, _BUFFER, NoJitterBuffer())
