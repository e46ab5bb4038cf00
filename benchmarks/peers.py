"""Ours beside others in the same run: how soon a server answers, and how soon it falls silent.

Human speech in real time over real sockets, zero-cost engines. Every server says by which sample its VAD
decided, so how each counts a pause is left out of the figures.
"""

import asyncio
import functools
import os
import sys
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import median, percentile, table
from benchmarks.line import FramedLine, Line, PeerLine, WebLine
from benchmarks.server import CLIENTS_CORE, Peer, Server, stay_on
from benchmarks.speech import GAP_S, RATE_HZ, questions
from benchmarks.talker import Talker
from benchmarks.zero_cost import SECOND, zero_cost_engines
from pipeline.messages import Samples

COUNT = 4
SECONDS = 1.5
"""So many utterances of about this length; the first one is left out, since it warms the server up."""

ONSET = 0.02
"""The amplitude with which an utterance begins to be heard."""

NOISE = 0.002
"""Of a room, as the deviation of samples: -54 dB. No microphone gives digital silence, after which a
gate on loudness, such as Pipecat's, opens 0.15 to 0.2 s later."""

SHORT_S, LONG_S = 1, 20
"""A reply that is over before the next utterance, and one that is not."""

PIPECAT = "S2S_PIPECAT_PYTHON"


@dataclass(frozen=True)
class Conversation:
    """Utterances with pauses between them, in a room."""

    audio: Samples
    onsets: list[int]
    """The sample with which each utterance begins to be heard."""

    @classmethod
    def of(cls, utterances: list[Samples]) -> "Conversation":
        """Each followed by the pause that ends it and by the answer."""
        silence = np.zeros(int(GAP_S * RATE_HZ), np.float32)
        audio, onsets = silence, []
        for utterance in utterances:
            onsets.append(len(audio) + int(np.argmax(np.abs(utterance) > ONSET)))
            audio = np.concatenate((audio, utterance, silence))
        noise = np.random.default_rng(0).normal(0, NOISE, len(audio)).astype(np.float32)
        return cls(audio + noise, onsets)


def answers(line: Line, conversation: Conversation) -> list[object]:
    """For the table: how soon the first audio came."""
    talker = asyncio.run(_heard(line, conversation))
    return _figures(talker.answers_ms(after=conversation.onsets[1]))


def interruptions(line: Line, conversation: Conversation) -> list[object]:
    """For the table: how soon the last audio came."""
    talker = asyncio.run(_heard(line, conversation))
    return _figures(talker.interruptions_ms(conversation.onsets[1:]))


def ours(name: str, conversation: Conversation, *, web: bool) -> list[object]:
    """One of our servers, with its defaults."""
    row: list[object] = [name]
    for seconds, measure in ((SHORT_S, answers), (LONG_S, interruptions)):
        with Server(functools.partial(zero_cost_engines, SECOND * seconds), web=web) as server:
            line = WebLine(server.ports[0]) if web else FramedLine(server.ports)
            row += measure(line, conversation)
    return row


def bare(conversation: Conversation) -> list[object]:
    """Nothing but a socket and the VAD; it cannot be interrupted."""
    with Peer(sys.executable, "benchmarks.bare_server") as server:
        return [
            "bare WebSocket and VAD",
            *answers(PeerLine(server.port, "/"), conversation),
            "–",
            "–",
            0,
        ]


def pipecat(python: str, conversation: Conversation) -> list[list[object]]:
    """With turns that end as ours do here, by silence alone; and by Smart Turn as well, its default.

    Either is interrupted in the same way, Pipecat's default.
    """
    with Peer(python, "benchmarks.pipecat_server") as server:
        by_silence = answers(PeerLine(server.port, f"/silence/{SHORT_S}"), conversation)
        interrupted = interruptions(PeerLine(server.port, f"/silence/{LONG_S}"), conversation)
        by_default = answers(PeerLine(server.port, f"/default/{SHORT_S}"), conversation)
    return [
        ["Pipecat, silence alone", *by_silence, *interrupted],
        ["Pipecat, Smart Turn, its default", *by_default, "as above", "", ""],
    ]


async def _heard(line: Line, conversation: Conversation) -> Talker:
    talker = Talker(line, conversation.audio)
    await talker.connect()
    await talker.talk()
    return talker


def _figures(times_ms: list[float]) -> list[object]:
    if not times_ms:
        return ["–", "–", 0]
    return [median(times_ms), percentile(times_ms, 0.95), len(times_ms)]


def main() -> str:
    """The table."""
    pinned = stay_on(CLIENTS_CORE)
    where = "server on one core, client on another" if pinned else "on any core"
    conversation = Conversation.of(questions(SECONDS, COUNT))
    rows = [
        ours("ours, over TCP", conversation, web=False),
        ours("ours, over its WebSocket", conversation, web=True),
        bare(conversation),
    ]
    python = os.environ.get(PIPECAT)
    if python:
        rows += pipecat(python, conversation)
    header = ["server", "decision ▶ first audio, median ms", "p95 ms", "answers"]
    header += ["speech over a reply ▶ its last audio, median ms", "p95 ms", "interruptions"]
    shown = table(f"Beside others, over sockets; {where}", header, rows)
    return shown if python else f"{shown}\nPipecat is left out: {PIPECAT} does not name its Python.\n"


if __name__ == "__main__":
    print(main())
