"""A framed client that talks in real time, lets no answer end, and hears what is left of the old one."""

import asyncio
import itertools
import random
import time
import uuid
from collections import deque

import numpy as np

from benchmarks.client import PACKET, PACKET_S
from benchmarks.tally import Tally
from connections.wire import FrameKind, FrameReader, Hello, WireFrame, encode_hello
from pipeline.session import Session
from utils.audio import to_pcm16

LOUD, QUIET = (to_pcm16(np.full(PACKET, level, np.float32)) for level in (0.5, 0.0))
SHORTEST_WORDS, LONGEST_WORDS = 16, 60
"""Packets: 0.3 to 1.2 s. The shortest is longer than a cough, the longest than any nod."""

SHORTEST_BREATH, LONGEST_BREATH = 8, 30
"""Packets: 0.16 to 0.6 s. After some of these pauses a turn has ended, after others it goes on."""

PATIENCE_S = 5.0
"""Who has got no answer by then was not answered: a pause takes one second, the engines a tenth."""

LONGEST_HEARD_S = 1.0
"""An answer is interrupted within this time, anywhere."""

HASTY = 0.4
"""How often the user does not wait for the answer to begin: it is still being made, or not even that."""

HASTE_S = 0.4
LONGEST_THOUGHT_S = 0.2
"""Between stopping an answer and asking anew."""


class Interrupter:
    """One user. The session is in this process, so it can be interrupted from inside as well."""

    def __init__(self, chance: random.Random, tally: Tally) -> None:
        self._chance = chance
        self._tally = tally
        self._session: Session
        self._microphone: asyncio.StreamWriter
        self._loudspeaker: asyncio.StreamWriter
        self._tasks: list[asyncio.Task[None]] = []
        self._to_say: deque[bool] = deque()
        self._said, self._news = asyncio.Event(), asyncio.Event()
        self._newest = 0
        self._over: set[int] = set()
        self._interrupted_at: float | None = None

    async def connect(self, ports: tuple[int, int]) -> None:
        """Be there, and silent, when this returns; `interrupt` has to follow."""
        self._microphone = (await asyncio.open_connection("127.0.0.1", ports[0]))[1]
        answer, self._loudspeaker = await asyncio.open_connection("127.0.0.1", ports[1])
        hello = encode_hello(Hello(uuid.uuid4().hex, full_duplex=True))
        self._microphone.write(hello)
        self._loudspeaker.write(hello)
        self._tasks = [asyncio.create_task(self._listen(answer)), asyncio.create_task(self._talk())]
        await self._news.wait()

    async def interrupt(self, session: Session, times: int) -> None:
        """Ask, and interrupt the answers, so many times."""
        self._session = session
        newer_than = await self._ask()
        for _ in range(times):
            if self._chance.random() < HASTY:
                await asyncio.sleep(self._chance.uniform(0, HASTE_S))
            else:
                await self._answered(newer_than)
                await asyncio.sleep(self._chance.uniform(0, LONGEST_HEARD_S))
            self._tally.unheard += self._newest <= newer_than
            newer_than = await self._interrupt_once()
        await self._answered(newer_than)

    async def leave(self) -> None:
        """Hang up, and let go of the session."""
        del self._session
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for connection in (self._microphone, self._loudspeaker):
            connection.close()
            await connection.wait_closed()

    # -- what the user does ------------------------------------------------------------------------

    async def _interrupt_once(self) -> int:
        """One of the three ways; the answer will be newer than the turn that is returned."""
        way = self._chance.choice(("spoken over", "typed", "interrupt()"))
        self._tally.interruptions[way] += 1
        if way == "spoken over":
            return await self._speak()
        if way == "typed":
            return self._type()
        sounding = self._session.playout.sounding
        self._interrupted_at = time.perf_counter() if sounding else None
        began = time.perf_counter()
        self._session.interrupt()
        if sounding:
            self._tally.returned_ms.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(self._chance.uniform(0, LONGEST_THOUGHT_S))
        return await self._ask()

    async def _ask(self) -> int:
        return self._type() if self._chance.random() < 0.5 else await self._speak()

    def _type(self) -> int:
        return self._session.respond("typed words").number - 1

    async def _speak(self) -> int:
        """Some words, or some words, a breath and some more."""
        self._to_say.extend([True] * self._chance.randint(SHORTEST_WORDS, LONGEST_WORDS))
        if self._chance.random() < 0.3:
            self._to_say.extend([False] * self._chance.randint(SHORTEST_BREATH, LONGEST_BREATH))
            self._to_say.extend([True] * self._chance.randint(SHORTEST_WORDS, LONGEST_WORDS))
        self._said.clear()
        await self._said.wait()
        return self._newest

    async def _answered(self, newer_than: int) -> None:
        self._tally.awaited += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self._newest <= newer_than:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self._tally.silent_turns += 1

    # -- the wire ----------------------------------------------------------------------------------

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in itertools.count():
            await asyncio.sleep(began + number * PACKET_S - loop.time())
            packet = LOUD if self._to_say and self._to_say.popleft() else QUIET
            self._microphone.write(WireFrame(FrameKind.AUDIO, packet, sample=number * PACKET).encode())
            if not self._to_say:
                self._said.set()

    async def _listen(self, answer: asyncio.StreamReader) -> None:
        frames = FrameReader()
        while data := await answer.read(1 << 16):
            for frame in frames.feed(data):
                self._received(frame)

    def _received(self, frame: WireFrame) -> None:
        if frame.kind is FrameKind.AUDIO:
            self._tally.frames += 1
            self._tally.old_frames += frame.turn in self._over or frame.turn < self._newest
            self._newest = max(self._newest, frame.turn)
            self._news.set()
        elif frame.kind is FrameKind.CONTROL:
            self._controlled(frame)
        else:
            event = frame.json()
            if event["event"] in ("Interrupted", "TurnDone"):
                self._over.add(event["turn"])
            elif event["event"] == "ErrorEvent":
                self._tally.errors.append(event["text"])

    def _controlled(self, frame: WireFrame) -> None:
        kind = frame.json()["type"]
        if kind == "welcome":
            self._news.set()
        elif kind == "flush" and self._interrupted_at is not None:
            self._tally.told_ms.append(1000 * (time.perf_counter() - self._interrupted_at))
            self._interrupted_at = None
            self._over.add(frame.turn)
