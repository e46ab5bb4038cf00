"""A framed client that talks in real time and notes what came back when."""

import asyncio
import math
import uuid
from collections.abc import Iterator

from benchmarks.speech import RATE_HZ
from connections.wire import FrameKind, FrameReader, Hello, WireFrame, encode_hello
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from utils.audio import to_pcm16

PACKET_S = 0.02
PACKET = int(RATE_HZ * PACKET_S)
DECISION_SAMPLES = 512 * math.ceil(EndpointerSettings().min_silence_ms / 32)
"""From the end of the last voiced window to the window with which the VAD decides."""


class Client:
    """Says `audio` in packets of 20 ms, one every 20 ms, and measures each answer."""

    def __init__(self, ports: tuple[int, int], audio: Samples, starts_after_s: float = 0.0) -> None:
        self.answers_ms: list[float] = []
        """From the packet with which the decision could be made to the first audio of the answer."""
        self.errors: list[str] = []
        self._ports = ports
        self._starts_after_s = starts_after_s
        self._packets = list(_packets(audio))
        self._sent_at: list[float] = []
        self._decided_at: float | None = None

    async def talk(self) -> None:
        """Connect, say everything, hang up."""
        await asyncio.sleep(self._starts_after_s)
        microphone = (await asyncio.open_connection("127.0.0.1", self._ports[0]))[1]
        answer, loudspeaker = await asyncio.open_connection("127.0.0.1", self._ports[1])
        hello = encode_hello(Hello(uuid.uuid4().hex))
        microphone.write(hello)
        loudspeaker.write(hello)
        listening = asyncio.create_task(self._listen(answer))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, packet in enumerate(self._packets):
            await asyncio.sleep(began + number * PACKET_S - loop.time())
            self._sent_at.append(loop.time())
            microphone.write(packet)
        listening.cancel()
        microphone.close()
        loudspeaker.close()

    async def _listen(self, answer: asyncio.StreamReader) -> None:
        frames, loop = FrameReader(), asyncio.get_running_loop()
        while data := await answer.read(1 << 16):
            now = loop.time()
            for frame in frames.feed(data):
                self._received(frame, now)

    def _received(self, frame: WireFrame, now: float) -> None:
        if frame.kind is FrameKind.AUDIO and self._decided_at is not None:
            self.answers_ms.append(1000 * (now - self._decided_at))
            self._decided_at = None
        elif frame.kind is FrameKind.EVENT:
            event = frame.json()
            if event["event"] == "SpeechEnded":
                sample = event["speech_end_sample"] + DECISION_SAMPLES
                self._decided_at = self._sent_at[min((sample - 1) // PACKET, len(self._sent_at) - 1)]
            elif event["event"] == "ErrorEvent":
                self.errors.append(event["text"])


def _packets(audio: Samples) -> Iterator[bytes]:
    for start in range(0, len(audio), PACKET):
        block = to_pcm16(audio[start : start + PACKET])
        yield WireFrame(FrameKind.AUDIO, block, sample=start).encode()
