"""Visitor: a WebSocket client that talks as long as it may: asks, interrupts, drops, comes back."""

import asyncio
import contextlib
import json
import random

from benchmarks.line import WebLine
from benchmarks.tally import Tally
from benchmarks.user import User

WAYS = ("asks over it", "interrupts it", "hears it out", "drops", "asks and drops", "leaves")
WEIGHTS = (6, 4, 2, 2, 2, 1)
"""Weights of the actions when an answer has begun."""

MAX_HEARD_S = 1.0
MAX_REPLY_S = 6.0
MAX_AWAY_S = 3.0
"""Longest absence; the server waits for 15 s."""

REFUSED_S = 1.0
"""Wait of a refused client before it tries again."""


class Visitor(User):
    """One user, with one or more sessions, one after the other."""

    def __init__(self, chance: random.Random, tally: Tally, port: int) -> None:
        super().__init__(chance, tally)
        self._port = port
        self._line: WebLine | None = None
        self._turn = 0
        self._recognized = asyncio.Event()

    async def stay(self, until: asyncio.Event) -> None:
        """Talk until the event is set."""
        talking = asyncio.create_task(self.microphone())
        line = await self._come()
        while not until.is_set():
            await self.answered(await self._ask(line))
            way = self.chance.choices(WAYS, WEIGHTS)[0]
            self.tally.ways[way] += 1
            if way == "hears it out":
                await asyncio.sleep(MAX_REPLY_S)
            elif way == "asks and drops":
                newer_than = await self.speak()
                await self._recognized.wait()  # from here on it is up to the server to answer
                line = await self._come_back(line)
                await self.answered(newer_than)
            else:
                await asyncio.sleep(self.chance.uniform(0, MAX_HEARD_S))
            if way == "interrupts it":
                line.say("interrupt")
            elif way == "drops":
                line = await self._come_back(line)
            elif way == "leaves":
                await self._leave(line)
                line = await self._come()
        talking.cancel()
        await self._leave(line)

    def send(self, packet: bytes, number: int) -> None:
        """Send a packet; dropped while the connection is down."""
        if self._line is not None:
            self._line.send(packet)

    async def _ask(self, line: WebLine) -> int:
        if self.chance.random() < 0.5:
            return await self.speak()
        line.say("respond", text="typed words")
        return self.newest

    async def speak(self) -> int:
        newest = await super().speak()
        self._recognized.clear()
        return newest

    async def _come_back(self, line: WebLine) -> WebLine:
        """Return after an absence."""
        self._line = None
        line.drop()
        await self._listening
        await asyncio.sleep(self.chance.uniform(0, MAX_AWAY_S))
        return await self._come(line.key)

    async def _come(self, key: str = "") -> WebLine:
        line = WebLine(self._port, key=key)
        try:
            await line.open()
        except ConnectionRefusedError as error:
            self.tally.errors.append(str(error))
            await asyncio.sleep(REFUSED_S)
            return await self._come()
        if not key:
            self.forget()
        self._line = line
        self._listening = asyncio.create_task(self._listen(line))
        return line

    async def _leave(self, line: WebLine) -> None:
        self._line = None
        line.close()
        await self._listening

    async def _listen(self, line: WebLine) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async for message in line.messages():
                if isinstance(message, bytes):
                    self.heard(self._turn)
                else:
                    self._on_message(json.loads(message))

    def _on_message(self, message: dict[str, object]) -> None:
        if message["type"] == "audio":
            assert isinstance(message["turn"], int)
            self._turn = message["turn"]
        elif message["type"] == "event":
            self.told(message)
            if message["event"] == "Transcript":
                self._recognized.set()
        elif message["type"] == "error":
            self.tally.errors.append(str(message["text"]))
