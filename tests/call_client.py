"""A client of the Realtime protocol over WebRTC, for tests: aiortc on real sockets."""

import asyncio
import contextlib
import fractions
import json
import math
import queue
import threading
from collections import deque
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import httpx2
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

RATE_HZ = 48000
FRAME = RATE_HZ // 50
PATIENCE_S = 60.0


class ScriptedMicrophone(MediaStreamTrack):  # type: ignore[misc]
    """Plays a tone of 200 Hz at the given levels, 20 ms each, and silence otherwise."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.levels: deque[float] = deque()
        self.most = math.inf
        """The number of packets to send."""
        self.changed = asyncio.Event()
        self._begun_at: float | None = None
        self._count = 0

    async def recv(self) -> AudioFrame:
        while self._count >= self.most:
            self.changed.clear()
            await self.changed.wait()
        loop = asyncio.get_running_loop()
        if self._begun_at is None:
            self._begun_at = loop.time() - self._count / 50
        await asyncio.sleep(max(0.0, self._begun_at + self._count / 50 - loop.time()))
        level = self.levels.popleft() if self.levels else 0.0
        tone = level * np.sin(2 * np.pi * 200 * np.arange(FRAME) / RATE_HZ)  # four periods
        pcm = (32767 * np.repeat(tone, 2)).astype("<i2")
        frame = AudioFrame.from_ndarray(pcm[None], format="s16", layout="stereo")
        frame.sample_rate, frame.time_base = RATE_HZ, fractions.Fraction(1, RATE_HZ)
        frame.pts = self._count * FRAME
        self._count += 1
        return frame


class CallClient:
    """Sends loud and quiet audio, and keeps the events and the levels that come back."""

    def __init__(
        self,
        port: int,
        *,
        key: str = "none",
        codec: str = "",
        connect: bool = True,
        packets: float = math.inf,
    ) -> None:
        self.url = f"http://127.0.0.1:{port}/v1/realtime/calls"
        self.headers = {"Authorization": f"Bearer {key}"}
        self.events: list[Any] = []
        self.heard: list[float] = []
        """The amplitude of each 20 ms received."""
        self.location = ""
        self._came: queue.Queue[Any] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        try:
            self.do(self._prepare(codec))
            self.microphone.most = packets
            if connect:
                answer = self.call()
                assert answer.status_code == 201, answer.text
                self.accept(answer.text)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "CallClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._loop.is_running():
            self.do(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE_S)
            self._loop.close()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    # -- the call ----------------------------------------------------------------------------------

    async def _prepare(self, codec: str) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.microphone = ScriptedMicrophone()
        sender = self.connection.addTrack(self.microphone)
        if codec:
            capable = sender.getCapabilities("audio").codecs
            chosen = [kind for kind in capable if kind.mimeType == codec]
            self.connection.getTransceivers()[0].setCodecPreferences(chosen)
        self.channel = self.connection.createDataChannel("oai-events")
        self.channel.on("message", self._came.put)
        self.channel.on("close", lambda: self._came.put(None))
        self._listening: list[asyncio.Task[None]] = []
        self.connection.on("track", self._on_track)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.offer = self.connection.localDescription.sdp

    def call(self) -> Any:
        """Send the offer; returns the server's response."""
        headers = {**self.headers, "Content-Type": "application/sdp"}
        answer = httpx2.post(self.url, content=self.offer, headers=headers, timeout=PATIENCE_S)
        self.location = answer.headers.get("Location", "")
        return answer

    def accept(self, answer: str) -> None:
        """Take the server's SDP."""
        self.do(self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer")))

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._listening.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                samples = (await track.recv()).to_ndarray().astype(np.float32) / 32768
                self.heard.append(float(np.sqrt(2 * np.mean(np.square(samples)))))

    async def _close(self) -> None:
        await self.connection.close()
        await asyncio.gather(*self._listening)

    async def vanish(self) -> None:
        """Vanish like a lost network: nothing is sent any more, not even a goodbye."""
        (transport,) = {t.receiver.transport.transport for t in self.connection.getTransceivers()}
        for protocol in transport._connection._protocols:
            protocol.transport.abort()

    # -- the conversation --------------------------------------------------------------------------

    def say(self, ms: int, level: float = 0.5) -> None:
        """Send audio, after what is already queued."""
        self._loop.call_soon_threadsafe(self.microphone.levels.extend, [level] * (ms // 20))

    def allow(self, packets: float) -> None:
        """Let the microphone send this many packets."""
        self.microphone.most = packets
        self._loop.call_soon_threadsafe(self.microphone.changed.set)

    def send(self, kind: str, **fields: Any) -> None:
        """Send an event unchanged."""
        self.send_raw(json.dumps({"type": kind, **fields}))

    def send_raw(self, message: str | bytes) -> None:
        """Send a message unchanged."""
        self._loop.call_soon_threadsafe(self.channel.send, message)

    def until(self, kind: str) -> Any:
        """Wait for the next event of this type."""
        while True:
            message = self._came.get(timeout=PATIENCE_S)
            assert message is not None, f"the channel was closed before {kind} came"
            event = json.loads(message, object_hook=lambda fields: SimpleNamespace(**fields))
            self.events.append(event)
            if event.type == kind:
                return event
            assert event.type != "error", event

    def until_closed(self) -> None:
        """Wait for the channel to close."""
        while self._came.get(timeout=PATIENCE_S) is not None:
            pass

    def kinds(self) -> list[str]:
        """The types of all events so far."""
        return [event.type for event in self.events]

    def heard_ms(self, least: float, most: float) -> int:
        """For how long the level was between `least` and `most`."""
        return 20 * sum(least < level < most for level in self.heard)
