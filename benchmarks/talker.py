"""Somebody who says something over a line in real time, and notes what came back when."""

import asyncio
import contextlib
from dataclasses import dataclass

from benchmarks.client import PACKET, PACKET_S
from benchmarks.line import Line
from pipeline.messages import Samples
from utils.audio import to_pcm16

PLAYING_S = 0.1
"""A reply of which something arrived so lately is still going on; the longest packets are of 40 ms."""

QUIET_S = 0.15
"""And after so long without audio it has stopped. No server answers anew so soon after it has stopped:
the shortest pause that ends an utterance is one of 160 ms."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A piece of an answer."""

    at: float
    decided: int
    """After how many samples the server had decided that the user was done."""


class Talker:
    """Says `audio` in packets of 20 ms, one every 20 ms."""

    def __init__(self, line: Line, audio: Samples) -> None:
        self._line = line
        self._packets = [to_pcm16(audio[n : n + PACKET]) for n in range(0, len(audio), PACKET)]
        self._sent_at: list[float] = []
        self._arrivals: list[Arrival] = []

    async def talk(self) -> None:
        """Connect, say everything, hang up."""
        await self._line.open()
        listening = asyncio.create_task(self._listen())
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, packet in enumerate(self._packets):
            await asyncio.sleep(began + number * PACKET_S - loop.time())
            self._sent_at.append(loop.time())
            self._line.send(packet, number * PACKET)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        self._line.close()

    def answers_ms(self, after: int) -> list[float]:
        """From the packet with which the server could decide to the first audio of the answer.

        Only of decisions made `after` a sample.
        """
        latest, answers = 0, []
        for arrival in self._arrivals:
            if arrival.decided != latest:
                latest = arrival.decided
                if latest > after:
                    answers.append(1000 * (arrival.at - self._sent_at[(latest - 1) // PACKET]))
        return answers

    def interruptions_ms(self, onsets: list[int]) -> list[float]:
        """From the packet with each onset of speech over a reply to the last audio of that reply."""
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
        async for decided in self._line.heard():
            self._arrivals.append(Arrival(loop.time(), decided))
