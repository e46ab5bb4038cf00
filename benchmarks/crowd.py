"""A number of clients that talk to a server at once in real time, and the load they cause."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import median, percentile
from benchmarks.line import Line
from benchmarks.server import Serving, Usage
from benchmarks.speech import Monologue
from benchmarks.talker import Talker

SECONDS = 20.0
STAGGER_S = 0.16
"""Time over which the talkers start, evenly: the common period of 20 ms packets and 32 ms windows, so
that packets arrive spread out, as from unrelated clients, not all at once."""

EDGE_S = 1.0
"""Time at both ends that is not measured, since not everybody is talking then."""

COSTS = ("sessions", "CPU %", "CPU % each", "MB each", "threads")
ANSWERS = ("answers", "decision ▶ first audio, median ms", "p95 ms", "errors")
CARE = ("packets sent late, p95 ms", "other load on the server's core, %")
HEADER = (*COSTS, *ANSWERS, *CARE)


@dataclass(frozen=True)
class Run:
    """Cost of a number of sessions."""

    sessions: int
    seconds: float
    """Time from `begun` to `ended`."""
    before: Usage
    """Usage with no client connected."""
    begun: Usage
    ended: Usage
    questions: int
    answers_ms: list[float]
    late_ms: list[float]
    errors: list[str]

    @property
    def cpu_share(self) -> float:
        """Share of the server's core that it used, in percent."""
        return 100 * (self.ended.cpu_s - self.begun.cpu_s) / self.seconds

    @property
    def elsewhere_share(self) -> float:
        """Share of that core used by others, in percent."""
        return 100 * self.ended.elsewhere_s(self.begun) / self.seconds

    @property
    def memory_mb(self) -> float:
        """Memory of the server beyond its use before the clients came."""
        return self.ended.memory_mb - self.before.memory_mb

    def by_thread(self) -> list[list[object]]:
        """List the kinds of threads with their shares of the time, largest first."""
        used = {
            kind: seconds - self.begun.cpu_s_by_thread.get(kind, 0.0)
            for kind, seconds in self.ended.cpu_s_by_thread.items()
        }
        whole = sum(used.values()) or 1.0
        ordered = sorted(used.items(), key=lambda item: -item[1])
        return [[kind, 100 * seconds / whole] for kind, seconds in ordered if seconds > 0]

    @property
    def p95_ms(self) -> float:
        """95th percentile of the answers; infinity if there were none."""
        return percentile(self.answers_ms, 0.95) if self.answers_ms else float("inf")

    def row(self) -> list[object]:
        """The figures as a row of the table."""
        return [
            self.sessions,
            self.cpu_share,
            self.cpu_share / self.sessions,
            self.memory_mb / self.sessions,
            self.ended.threads,
            f"{len(self.answers_ms)} of {self.questions}",
            median(self.answers_ms) if self.answers_ms else "–",
            self.p95_ms,
            len(self.errors),
            percentile(self.late_ms, 0.95),
            self.elsewhere_share,
        ]


def talk_to(
    server: Serving, line_to: Callable[[], Line], sessions: int, seconds: float = SECONDS
) -> Run:
    """Connect all clients, then let all of them talk for `seconds`."""
    monologues = [Monologue.of(seconds, first=3 * number) for number in range(sessions)]
    talkers = [Talker(line_to(), monologue.audio) for monologue in monologues]
    before = server.usage()
    begun, ended = asyncio.run(_talk(server, talkers, seconds))
    return Run(
        sessions,
        seconds - 2 * EDGE_S,
        before,
        begun,
        ended,
        sum(monologue.questions for monologue in monologues),
        [answer for talker in talkers for answer in talker.answers_ms()],
        [late for talker in talkers for late in talker.late_ms],
        [error for talker in talkers for error in talker.line.errors],
    )


async def _talk(server: Serving, talkers: list[Talker], seconds: float) -> tuple[Usage, Usage]:
    for talker in talkers:
        await talker.connect()
    phases = [STAGGER_S * number / len(talkers) for number in range(len(talkers))]
    pairs = zip(talkers, phases, strict=True)
    talking = asyncio.gather(*(talker.talk(phase) for talker, phase in pairs))
    await asyncio.sleep(EDGE_S)
    begun = await asyncio.to_thread(server.usage)
    await asyncio.sleep(seconds - 2 * EDGE_S)
    ended = await asyncio.to_thread(server.usage)
    await talking
    return begun, ended
