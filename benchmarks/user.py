"""User: talks in real time, loud or silent, and waits for answers."""

import asyncio
import itertools
import random
from collections import deque

import numpy as np

from benchmarks.speech import PACKET, PACKET_S
from benchmarks.tally import Tally
from pipeline.audio import to_pcm16

LOUD, QUIET = (to_pcm16(np.full(PACKET, level, np.float32)) for level in (0.5, 0.0))
MIN_WORDS, MAX_WORDS = 16, 60
"""Packets of an utterance: 0.3 to 1.2 s. The shortest is longer than a cough, the longest than any
nod."""

MIN_BREATH, MAX_BREATH = 8, 30
"""Packets of a pause: 0.16 to 0.6 s. Some of these pauses end a turn, others do not."""

PATIENCE_S = 5.0
"""Time after which a turn counts as unanswered: a pause takes one second, the engines a tenth."""


class User:
    """Decides what to say when, and tracks which turn it hears; independent of the connection."""

    def __init__(self, chance: random.Random, tally: Tally) -> None:
        self.chance = chance
        self.tally = tally
        self.newest = 0
        """The latest turn of which audio was heard."""
        self._over: set[int] = set()
        self._to_say: deque[bool] = deque()
        self._said, self._news = asyncio.Event(), asyncio.Event()

    def send(self, packet: bytes, number: int) -> None:
        """Send packet `number` of the microphone."""
        raise NotImplementedError

    async def microphone(self) -> None:
        """Send audio forever, a packet every 20 ms."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in itertools.count():
            await asyncio.sleep(began + number * PACKET_S - loop.time())
            self.send(LOUD if self._to_say and self._to_say.popleft() else QUIET, number)
            if not self._to_say:
                self._said.set()

    async def speak(self) -> int:
        """Say some words, or some words, a pause and some more. Returns a turn number below that of the
        answer."""
        self._to_say.extend([True] * self.chance.randint(MIN_WORDS, MAX_WORDS))
        if self.chance.random() < 0.3:
            self._to_say.extend([False] * self.chance.randint(MIN_BREATH, MAX_BREATH))
            self._to_say.extend([True] * self.chance.randint(MIN_WORDS, MAX_WORDS))
        self._said.clear()
        await self._said.wait()
        return self.newest

    async def answered(self, newer_than: int) -> None:
        """Wait for the answer, up to `PATIENCE_S`."""
        self.tally.awaited += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self.newest <= newer_than:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self.tally.silent_turns += 1

    def heard(self, turn: int) -> None:
        """Note a piece of the answer of a turn."""
        self.tally.frames += 1
        self.tally.old_frames += turn in self._over or turn < self.newest
        self.newest = max(self.newest, turn)
        self._news.set()

    def told(self, event: dict[str, object]) -> None:
        """Note an event of the session."""
        if event["event"] in ("Interrupted", "TurnDone"):
            self.over(event["turn"])
        elif event["event"] == "ErrorEvent":
            self.tally.errors.append(str(event["text"]))

    def forget(self) -> None:
        """Start anew with a session, which counts its turns from one."""
        self.newest = 0
        self._over.clear()

    def over(self, turn: object) -> None:
        """Note that a turn is over: nothing more of it may be heard."""
        assert isinstance(turn, int)
        self._over.add(turn)
