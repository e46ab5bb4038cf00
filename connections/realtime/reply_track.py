"""ReplyTrack: what a client hears over WebRTC."""

import asyncio
import fractions

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame

from connections.realtime.webrtc_client import FRAME_S, FRAME_SAMPLES, RATE_HZ, WebRTCClient
from pipeline.audio import to_pcm16

MAX_LATE_S = 0.2
"""A loop that stood still for longer does not catch up: the client would play the rest too late."""


_SILENCE = bytes(2 * 2 * FRAME_SAMPLES)


class ReplyTrack(MediaStreamTrack):  # type: ignore[misc]
    """What the client hears: 20 ms each time, at the pace of the clock.

    Between answers it is silence. Were nothing sent, the client would take that for loss, make up sound
    for it, and begin to even out the network anew with each answer; a router would forget the way. It
    costs 3 bytes a packet.
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
        # made stereo here, since of a mono frame aiortc makes stereo that is 3 dB quieter
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
