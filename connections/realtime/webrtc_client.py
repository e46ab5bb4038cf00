"""WebRTCClient: one client of the Realtime protocol over WebRTC."""

import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from connections.access.rate_limit import FLOOD_S, MESSAGES_PER_S, RateLimit
from connections.realtime.outbox import Outbox
from connections.remote_pace import FRAMES_PER_S
from pipeline.audio import Gain, clean
from pipeline.clock import MonotonicClock
from pipeline.errors import ProtocolError
from pipeline.messages import Samples
from pipeline.sink import Frame

RATE_HZ = 48000
"""Of Opus over WebRTC (RFC 7587, 4.1)."""

FRAME_SAMPLES = RATE_HZ // FRAMES_PER_S
FRAME_S = 1 / FRAMES_PER_S

FRAMES_AHEAD = 3
"""That wait here: 60 ms, as much as the WebSocket of the page has in flight. They cost nothing, since
they can still be made quieter or dropped."""

DELAY_S = 0.1
"""From here to the ear, which nobody reports. Chromium on the same machine holds 31 ms back to even out
the network, and 30 ms for the sound card (measured: getStats, inbound-rtp and media-playout); the rest
is for a network, for which its buffer begins with 80 ms (libwebrtc, delay_manager.cc)."""


class WebRTCClient(Outbox):
    """The sink of a session; whoever carries the call takes a frame each 20 ms.

    What was taken is as good as heard: nobody can take it back. What was not can be changed.
    """

    rate_hz = RATE_HZ
    frame_samples = FRAME_SAMPLES
    full_duplex = True
    """A browser cancels the echo."""

    def __init__(self, wishes: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("rtc", wishes, audio_is_sent=False)
        self._clock = MonotonicClock()
        self._frames: deque[Samples] = deque()
        self._frames_lock = threading.Lock()
        self._gain = Gain()
        self._heard_all_at = -math.inf
        self._orders = RateLimit(MESSAGES_PER_S, MESSAGES_PER_S * FLOOD_S, self._loop.time())
        self._heard_s = 0.0
        self._heard_since = self._loop.time()

    # -- the sink, on the thread of the playout ----------------------------------------------------

    def room_at(self, now: float) -> float:
        """When a frame was taken."""
        return now if self.takes_more and len(self._frames) < FRAMES_AHEAD else math.inf

    def heard_all_at(self, now: float) -> float:
        """When the last frame is heard, once it was taken."""
        return math.inf if self._frames else self._heard_all_at

    def unheard(self, now: float) -> int:
        """What can be taken back."""
        return len(self._frames) * FRAME_SAMPLES

    def play(self, frame: Frame) -> None:
        with self._frames_lock:
            self._frames.append(clean(frame.samples))

    def flush(self, turn: int, sample: int) -> bool:
        """Silence from the next frame on."""
        with self._frames_lock:
            self._frames.clear()
        return True

    def duck(self, turn: int, gain: float) -> bool:
        """From the next frame on, over which the change is spread."""
        self._gain.target = gain
        return True

    # -- the call, on the thread of the server -----------------------------------------------------

    def next_frame(self) -> Samples | None:
        """What is to be heard next, 20 ms; None: nothing."""
        with self._frames_lock:
            if not self._frames:
                return None
            self._heard_all_at = self._clock.now() + FRAME_S + DELAY_S  # before nothing is left
            frame = self._frames.popleft()
        self._session.playout.wake()
        return self._gain.apply(frame)

    def hear(self, samples: Samples, rate_hz: int) -> None:
        """Audio of the microphone. Raises `ProtocolError` where it is far more than real time."""
        self._heard_s += len(samples) / rate_hz
        if self._heard_s > self._loop.time() - self._heard_since + FLOOD_S:
            raise ProtocolError("expected audio at the pace of speech, got much more", "flood")
        self._realtime.hear(samples, rate_hz)

    async def receive(self, data: str | bytes) -> None:
        """An event of the client. Raises `ProtocolError` where there are too many."""
        if self._orders.take(self._loop.time()):
            raise ProtocolError(f"expected at most {MESSAGES_PER_S} events a second", "flood")
        if self.handle(data) is not None:
            text = "your microphone is heard by its track; input_audio_buffer.append is for WebSockets"
            self._realtime.tell.error(text, "unsupported")
            self._news.set()
