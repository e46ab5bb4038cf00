"""ReplyTrack: the audio track that a client receives over WebRTC."""

import asyncio
import fractions

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame

from connections.realtime.webrtc_client import FRAME_S, FRAME_SAMPLES, RATE_HZ, WebRTCClient
from pipeline.audio import to_pcm16

MAX_LATE_S = 0.2
"""A loop that was blocked for longer does not catch up: the client would play the rest too late."""

_SILENCE = bytes(2 * 2 * FRAME_SAMPLES)


class ReplyTrack(MediaStreamTrack):  # type: ignore[misc]
    """Frames of 20 ms, at the pace of the clock; silence between replies.

    Without that silence the client would conceal a loss that is none, and adapt its buffer anew with
    each reply; a router would drop the mapping of the port. It costs 3 bytes a packet.
    """

    kind = "audio"

    def __init__(self, client: WebRTCClient) -> None:
        super().__init__()
        self._client = client
        self._due = -1.0
        self._position = 0

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._due > MAX_LATE_S:
            self._due = loop.time()
        await _moment(self._due)
        self._due += FRAME_S
        samples = self._client.next_frame()
        pcm = _SILENCE if samples is None else to_pcm16(np.repeat(samples, 2))
        # stereo already here, since aiortc's own conversion from mono is 3 dB quieter
        frame = AudioFrame(format="s16", layout="stereo", samples=FRAME_SAMPLES)
        frame.planes[0].update(pcm)
        frame.sample_rate = RATE_HZ
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        frame.pts = self._position
        self._position += FRAME_SAMPLES
        return frame


async def _moment(moment: float) -> None:
    """Wait for a moment of the loop's clock."""
    loop, come = asyncio.get_running_loop(), asyncio.Event()
    timer = loop.call_at(moment, come.set)
    try:
        await come.wait()
    finally:
        timer.cancel()
