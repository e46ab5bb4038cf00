"""Talker: says something over a line in real time, and notes when which answers came back."""

import asyncio
import contextlib
import math
from dataclasses import dataclass

from benchmarks.line import Line
from benchmarks.speech import PACKET, PACKET_S, RATE_HZ
from pipeline.audio import resample, to_pcm16
from pipeline.messages import Samples

PLAYING_S = 0.1
"""A reply that had audio within this time is still going on; the longest packets are of 40 ms."""

QUIET_S = 0.15
"""A reply without audio for this long has stopped. No server answers anew sooner after it has stopped:
the shortest pause that ends an utterance is 160 ms."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A piece of an answer."""

    at: float
    decided: int
    """Number of samples after which the server had decided that the user had finished."""


class Talker:
    """Says `audio`, at 16 kHz, in packets of 20 ms, one every 20 ms."""

    def __init__(self, line: Line, audio: Samples) -> None:
        self.line = line
        self.late_ms: list[float] = []
        """Delay of each packet, a measure of how overloaded the clients' machine was."""
        step = round(line.rate_hz * PACKET_S)
        said = resample(audio, RATE_HZ, line.rate_hz)
        self._packets = [to_pcm16(said[n : n + step]) for n in range(0, len(said), step)]
        self._sent_at: list[float] = []
        self._arrivals: list[Arrival] = []

    async def connect(self) -> None:
        """Connect, and listen."""
        await self.line.open()
        self._listening = asyncio.create_task(self._listen())

    async def talk(self, starts_after_s: float = 0.0) -> None:
        """Say everything, then hang up; hang up early when cancelled."""
        loop = asyncio.get_running_loop()
        began = loop.time() + starts_after_s
        try:
            for number, packet in enumerate(self._packets):
                due = began + number * PACKET_S
                await asyncio.sleep(due - loop.time())
                now = loop.time()
                self._sent_at.append(now)
                self.late_ms.append(1000 * (now - due))
                self.line.send(packet)
        finally:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
            self.line.close()

    def answers_ms(
        self, after: int = 0, *, since: float = -math.inf, until: float = math.inf
    ) -> list[float]:
        """Times from the packet with which the server could decide to the first audio of the answer.

        Covers only decisions made `after` a sample, which could be made between two turns of the loop.
        """
        latest, answers = 0, []
        for arrival in self._arrivals:
            if arrival.decided != latest:
                latest = arrival.decided
                due = self._sent_at[min((latest - 1) // PACKET, len(self._sent_at) - 1)]
                if latest > after and since <= due < until:
                    answers.append(1000 * (arrival.at - due))
        return answers

    def interruptions_ms(self, onsets: list[int]) -> list[float]:
        """Times from the packet with each onset of speech over a reply to the last audio of that
        reply."""
        interruptions = []
        for onset in onsets:
            began = self._sent_at[onset // PACKET]
            moments = [arrival.at for arrival in self._arrivals]
            if any(began - PLAYING_S < moment <= began for moment in moments):
                last = began
                for moment in moments:
                    if last < moment < last + QUIET_S:
                        last = moment
                interruptions.append(1000 * (last - began))
        return interruptions

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async for decided in self.line.heard():
                self._arrivals.append(Arrival(loop.time(), decided))
