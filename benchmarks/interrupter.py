"""A framed client that talks in real time, interrupts every answer, and looks for remains of the old
one."""

import asyncio
import random
import time
import uuid

from benchmarks.speech import PACKET
from benchmarks.tally import Tally
from benchmarks.user import User
from connections.tcp.wire import FrameKind, FrameReader, Hello, WireFrame, encode_hello
from pipeline.session import Session

MAX_HEARD_S = 1.0
"""Longest time for which an answer is heard before it is interrupted."""

HASTY = 0.4
"""Probability that the user interrupts before the answer begins: it is still in the making, or not
begun."""

HASTE_S = 0.4
MAX_THOUGHT_S = 0.2
"""Longest pause between stopping an answer and asking anew."""


class Interrupter(User):
    """A user with a session in this process, which can be interrupted from inside as well."""

    def __init__(self, chance: random.Random, tally: Tally) -> None:
        super().__init__(chance, tally)
        self._session: Session
        self._microphone: asyncio.StreamWriter
        self._loudspeaker: asyncio.StreamWriter
        self._tasks: list[asyncio.Task[None]] = []
        self._welcome = asyncio.Event()
        self._interrupted_at: float | None = None

    async def connect(self, ports: tuple[int, int]) -> None:
        """Connect and send silence; `interrupt` has to follow."""
        self._microphone = (await asyncio.open_connection("127.0.0.1", ports[0]))[1]
        answer, self._loudspeaker = await asyncio.open_connection("127.0.0.1", ports[1])
        hello = encode_hello(Hello(uuid.uuid4().hex, full_duplex=True))
        self._microphone.write(hello)
        self._loudspeaker.write(hello)
        self._tasks = [asyncio.create_task(self._listen(answer)), asyncio.create_task(self.microphone())]
        await self._welcome.wait()

    async def interrupt(self, session: Session, times: int) -> None:
        """Ask and interrupt the answer, `times` times."""
        self._session = session
        newer_than = await self._ask()
        for _ in range(times):
            if self.chance.random() < HASTY:
                await asyncio.sleep(self.chance.uniform(0, HASTE_S))
            else:
                await self.answered(newer_than)
                await asyncio.sleep(self.chance.uniform(0, MAX_HEARD_S))
            self.tally.unheard += self.newest <= newer_than
            newer_than = await self._interrupt_once()
        await self.answered(newer_than)

    async def leave(self) -> None:
        """Hang up, and release the session."""
        del self._session
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for connection in (self._microphone, self._loudspeaker):
            connection.close()
            await connection.wait_closed()

    def send(self, packet: bytes, number: int) -> None:
        self._microphone.write(WireFrame(FrameKind.AUDIO, packet, sample=number * PACKET).encode())

    async def _interrupt_once(self) -> int:
        """Interrupt in one of three ways. Returns a turn number below that of the next answer."""
        way = self.chance.choice(("spoken over", "typed", "interrupt()"))
        self.tally.ways[way] += 1
        if way == "spoken over":
            return await self.speak()
        if way == "typed":
            return self._type()
        sounding = self._session.playout.sounding
        self._interrupted_at = time.perf_counter() if sounding else None
        began = time.perf_counter()
        self._session.interrupt()
        if sounding:
            self.tally.returned_ms.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(self.chance.uniform(0, MAX_THOUGHT_S))
        return await self._ask()

    async def _ask(self) -> int:
        return self._type() if self.chance.random() < 0.5 else await self.speak()

    def _type(self) -> int:
        return self._session.respond("typed words").number - 1

    async def _listen(self, answer: asyncio.StreamReader) -> None:
        frames = FrameReader()
        while data := await answer.read(1 << 16):
            for frame in frames.feed(data):
                if frame.kind is FrameKind.AUDIO:
                    self.heard(frame.turn)
                elif frame.kind is FrameKind.CONTROL:
                    self._controlled(frame)
                else:
                    self.told(frame.json())

    def _controlled(self, frame: WireFrame) -> None:
        kind = frame.json()["type"]
        if kind == "welcome":
            self._welcome.set()
        elif kind == "flush" and self._interrupted_at is not None:
            self.tally.told_ms.append(1000 * (time.perf_counter() - self._interrupted_at))
            self._interrupted_at = None
            self.over(frame.turn)
