"""The caller of the panel: a microphone that is always on, and a loudspeaker that plays what arrives at
once. Everything that is said begins with a tick."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.line import RealtimeLine
from benchmarks.panel.noises import RATE_HZ
from benchmarks.panel.record import Record, Said, Span
from benchmarks.panel.sounds import Clip
from benchmarks.panel.ticks import TICK_S
from benchmarks.speech import PACKET_S
from pipeline.audio import to_pcm16
from pipeline.messages import Samples

PACKET = int(RATE_HZ * PACKET_S)
TICK = int(RATE_HZ * TICK_S)
ROOM_DB = -66.0
"""Level of the noise in the room, in dB under full scale."""

ANSWERED_S = 6.0
"""Longest wait for an answer."""

POLL_S = 0.01


class Caller:
    """One conversation. An answer that is cut off, by `speech_started` or because it was cancelled,
    stops at once, as in clients of the protocol. All times are in seconds since the microphone was
    opened."""

    def __init__(self, line: RealtimeLine, seed: int) -> None:
        self.record = Record(errors=line.errors)
        self.asked_for: str | None = None
        """The answer to the latest turn."""
        self._line = line
        noise = np.random.default_rng(seed).standard_normal(5 * RATE_HZ) * 10 ** (ROOM_DB / 20)
        self._noise = noise.astype(np.float32)
        self._queue: list[tuple[int, Samples]] = []
        """The clips that are being said, and the samples at which they begin."""
        self._sent = 0
        self._open: set[str] = set()
        self._began = 0.0

    async def __aenter__(self) -> "Caller":
        await self._line.open()
        self._began = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._talk()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.record.length = self.now
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._line.close()

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    @property
    def playing(self) -> bool:
        """True while the loudspeaker plays an answer."""
        return bool(self.record.spans) and self.record.spans[-1].end > self.now

    @property
    def heard_s(self) -> float:
        """Seconds of the latest answer that were heard."""
        now, spans = self.now, self.record.spans
        return sum(min(s.end, now) - s.start for s in spans if s.response == spans[-1].response)

    def say(self, clip: Clip, db: float = 0.0, over: bool = False) -> Said:
        """Begin to say something, so that its sound begins with the next tick."""
        onset = round(clip.onset_s * RATE_HZ)
        begin = -(-(self._sent + PACKET + onset) // TICK) * TICK
        self._queue.append((begin - onset, clip.samples * np.float32(10 ** (db / 20))))
        at = begin / RATE_HZ
        said = Said(clip.what, clip.sort, clip.name, db, at, at + clip.sounds_s, over)
        self.record.said.append(said)
        return said

    async def ask(self, clip: Clip, db: float = 0.0, over: bool = False) -> None:
        """Say a turn, and wait until the answer is heard."""
        said, spans = self.say(clip, db, over), self.record.spans
        await self.until(said.end)
        answered = await self._wait(
            lambda: bool(spans) and spans[-1].start >= said.end and self.playing, ANSWERED_S
        )
        self.asked_for = spans[-1].response if answered else None

    async def listen(self, from_s: float, to_s: float) -> bool:
        """Wait until `from_s` of the answer to the latest turn were heard. Returns False if there is
        none, or more than `to_s` of it was heard."""

        def fits() -> bool:
            spans = self.record.spans
            return self.playing and spans[-1].response == self.asked_for and self.heard_s <= to_s

        if not fits():
            return False
        await self._wait(lambda: not self.playing or self.heard_s >= from_s, ANSWERED_S)
        return fits()

    async def hush(self, seconds: float) -> None:
        """Cancel the answer, and wait until there was silence for so long."""
        if self._busy():
            self._line.say("response.cancel")
        spans = self.record.spans
        await self._wait(
            lambda: not self._busy() and (not spans or self.now - spans[-1].end > seconds),
            2 * ANSWERED_S,
        )

    async def until(self, moment: float) -> None:
        """Wait for a moment. Raises what ended the connection."""
        await asyncio.sleep(max(0.0, moment - self.now))
        for task in self._tasks:
            if task.done():
                task.result()

    def _busy(self) -> bool:
        return bool(self._open) or self.playing

    async def _wait(self, condition: Callable[[], bool], limit_s: float) -> bool:
        end = self.now + limit_s
        while not condition():
            if self.now > end:
                return False
            await self.until(self.now + POLL_S)
        return True

    async def _talk(self) -> None:
        while True:
            due = (self._sent + PACKET) / RATE_HZ
            await asyncio.sleep(max(0.0, due - self.now))
            self.record.late_ms.append(1000 * (self.now - due))
            self._line.send(to_pcm16(np.clip(self._next_packet(), -1, 1)))

    def _next_packet(self) -> Samples:
        start, end = self._sent, self._sent + PACKET
        place = start % len(self._noise)  # a whole number of packets
        packet = self._noise[place : place + PACKET].copy()
        for begin, samples in self._queue:
            first, last = max(start, begin), min(end, begin + len(samples))
            if first < last:
                packet[first - start : last - start] += samples[first - begin : last - begin]
        self._queue = [(begin, samples) for begin, samples in self._queue if begin + len(samples) > end]
        self._sent = end
        return packet

    async def _listen(self) -> None:
        async for event in self._line.events():
            match event["type"]:
                case "response.output_audio.delta":
                    self._play(event)
                case "response.created":
                    self._open.add(event["response"]["id"])
                case "response.done":
                    self._open.discard(event["response"]["id"])
                    if event["response"]["status"] == "cancelled":
                        self._cut_off()
                case "input_audio_buffer.speech_started" if self.playing:
                    self._truncate()
        raise ConnectionError("expected the call to go on, got a goodbye from the server")

    def _play(self, event: dict[str, Any]) -> None:
        now, spans = self.now, self.record.spans
        seconds = len(base64.b64decode(event["delta"])) / 2 / RATE_HZ
        last = spans[-1] if spans else None
        if last and last.response == event["response_id"] and last.end >= now:
            last.end += seconds
            return
        start = max(now, last.end) if last else now
        spans.append(Span(start, start + seconds, event["response_id"], event["item_id"]))

    def _cut_off(self) -> None:
        for span in self.record.spans[-2:]:
            span.end = max(min(span.end, self.now), span.start)

    def _truncate(self) -> None:
        self._cut_off()
        item = self.record.spans[-1].item
        heard_s = sum(span.end - span.start for span in self.record.spans if span.item == item)
        heard = {"content_index": 0, "audio_end_ms": int(1000 * heard_s)}
        self._line.say("conversation.item.truncate", item_id=item, **heard)
