"""Our server beside others in the same run: how soon each answers, and how soon it falls silent.

Human speech in real time over real sockets, zero-cost engines. Every server reports the sample at which
its VAD decided, so the figures do not depend on how each counts a pause.
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
"""Length of the utterances, roughly, after a first one that only warms the server up."""

ONSET = 0.02
"""Amplitude at which an utterance becomes audible."""

NOISE = 0.002
"""Standard deviation of room noise: -54 dB. No microphone gives digital silence, after which a gate on
loudness, such as Pipecat's, opens 0.15 to 0.2 s later."""

SHORT_S, LONG_S = 1, 20
"""Length of a reply that ends before the next utterance, and of one that does not."""

PIPECAT = "S2S_PIPECAT_PYTHON"


@dataclass(frozen=True)
class Conversation:
    """Utterances with pauses between them, in a room."""

    audio: Samples
    onsets: list[int]
    """The sample at which each utterance becomes audible."""

    @classmethod
    def of(cls, utterances: list[Samples]) -> "Conversation":
        """Join utterances, each followed by the pause that ends it and time for the answer."""
        silence = np.zeros(int(GAP_S * RATE_HZ), np.float32)
        audio, onsets = silence, []
        for utterance in utterances:
            onsets.append(len(audio) + int(np.argmax(np.abs(utterance) > ONSET)))
            audio = np.concatenate((audio, utterance, silence))
        noise = np.random.default_rng(0).normal(0, NOISE, len(audio)).astype(np.float32)
        return cls(audio + noise, onsets)


def answers(line: Line, conversation: Conversation) -> list[object]:
    """Measure how soon the first audio came, as cells of the table."""
    talker = asyncio.run(_heard(line, conversation))
    return _figures(talker.answers_ms(after=conversation.onsets[1]))


def interruptions(line: Line, conversation: Conversation) -> list[object]:
    """Measure how soon the last audio came, as cells of the table."""
    talker = asyncio.run(_heard(line, conversation))
    return _figures(talker.interruptions_ms(conversation.onsets[1:]))


def ours(name: str, conversation: Conversation, *, web: bool) -> list[object]:
    """Measure one of our servers, with its defaults."""
    row: list[object] = [name]
    for seconds, measure in ((SHORT_S, answers), (LONG_S, interruptions)):
        with Server(functools.partial(zero_cost_engines, SECOND * seconds), web=web) as server:
            line = WebLine(server.ports[0]) if web else FramedLine(server.ports)
            row += measure(line, conversation)
    return row


def bare(conversation: Conversation) -> list[object]:
    """Measure the bare server, only a socket and the VAD; it cannot be interrupted."""
    with Peer(sys.executable, "benchmarks.bare_server") as server:
        return [
            "bare WebSocket and VAD",
            *answers(PeerLine(server.port, "/"), conversation),
            "–",
            "–",
            0,
        ]


def pipecat(python: str, conversation: Conversation) -> list[list[object]]:
    """Measure Pipecat with turns that end by silence alone, as ours do here, and also by Smart Turn, its
    default.

    Both are interrupted in the same way, Pipecat's default.
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
    """Run the benchmark and return its table."""
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
