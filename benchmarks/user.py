"""Somebody who talks in real time, loud or not at all, and waits for answers."""

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
"""Packets: 0.3 to 1.2 s. The shortest is longer than a cough, the longest than any nod."""

MIN_BREATH, MAX_BREATH = 8, 30
"""Packets: 0.16 to 0.6 s. After some of these pauses a turn has ended, after others it goes on."""

PATIENCE_S = 5.0
"""Who has got no answer by then was not answered: a pause takes one second, the engines a tenth."""


class User:
    """Knows when to say what, and which turn it hears; not over what line."""

    def __init__(self, chance: random.Random, tally: Tally) -> None:
        self.chance = chance
        self.tally = tally
        self.newest = 0
        """The latest turn of which something was heard."""
        self._over: set[int] = set()
        self._to_say: deque[bool] = deque()
        self._said, self._news = asyncio.Event(), asyncio.Event()

    def send(self, packet: bytes, number: int) -> None:
        """Packet so-and-so of what the microphone hears."""
        raise NotImplementedError

    async def microphone(self) -> None:
        """Is on for ever."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in itertools.count():
            await asyncio.sleep(began + number * PACKET_S - loop.time())
            self.send(LOUD if self._to_say and self._to_say.popleft() else QUIET, number)
            if not self._to_say:
                self._said.set()

    async def speak(self) -> int:
        """Some words, or some words, a breath and some more. The answer will be newer than the turn
        that is returned."""
        self._to_say.extend([True] * self.chance.randint(MIN_WORDS, MAX_WORDS))
        if self.chance.random() < 0.3:
            self._to_say.extend([False] * self.chance.randint(MIN_BREATH, MAX_BREATH))
            self._to_say.extend([True] * self.chance.randint(MIN_WORDS, MAX_WORDS))
        self._said.clear()
        await self._said.wait()
        return self.newest

    async def answered(self, newer_than: int) -> None:
        """Wait for the answer, with patience."""
        self.tally.awaited += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self.newest <= newer_than:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self.tally.silent_turns += 1

    def heard(self, turn: int) -> None:
        """A piece of the answer of a turn."""
        self.tally.frames += 1
        self.tally.old_frames += turn in self._over or turn < self.newest
        self.newest = max(self.newest, turn)
        self._news.set()

    def told(self, event: dict[str, object]) -> None:
        """What the session says of itself."""
        if event["event"] in ("Interrupted", "TurnDone"):
            self.over(event["turn"])
        elif event["event"] == "ErrorEvent":
            self.tally.errors.append(str(event["text"]))

    def forget(self) -> None:
        """A session begins, whose turns are counted from one."""
        self.newest = 0
        self._over.clear()

    def over(self, turn: object) -> None:
        """Nothing more of this turn is to be heard."""
        assert isinstance(turn, int)
        self._over.add(turn)
