"""Sessions that one core carries over WebSockets: our server beside Pipecat and a bare one.

Human speech in real time in packets of 20 ms, the real VAD of each, zero-cost engines, answers of one
second at the pace of speech.
"""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.crowd import HEADER, Run, talk_to
from benchmarks.figures import median, table
from benchmarks.line import Line, PeerLine, WebLine
from benchmarks.peers import PIPECAT, SHORT_S
from benchmarks.server import CLIENTS_CORE, Peer, Server, stay_on
from benchmarks.zero_cost import SECOND, zero_cost_engines

COUNTS = (1, 10, 20, 22, 24, 30, 40, 50, 60, 80, 100, 120)
SECONDS = 15.0
MAX_MS = 100.0
"""The 95th percentile that a server may add to an answer."""

MANY = 20
"""Number of sessions from which on the CPU time of each is compared: with fewer the core falls asleep
between two packets, and the cost of waking it is no server's doing."""

OURS, BARE = "ours", "bare WebSocket and VAD"


@dataclass(frozen=True)
class Contestant:
    """A server, and how to talk to it."""

    name: str
    start: Callable[[], Server | Peer]
    line_to: Callable[[Server | Peer], Line]

    def run(self, sessions: int) -> Run:
        """Measure a fresh server."""
        with self.start() as server:
            return talk_to(server, lambda: self.line_to(server), sessions, SECONDS)


def contestants(python: str | None) -> list[Contestant]:
    """The servers compared, all at 16 kHz, the rate of every VAD; ours also at that of its WebSocket."""
    start_ours = functools.partial(Server, functools.partial(zero_cost_engines, SECOND), web=True)
    start_bare = functools.partial(Peer, sys.executable, "benchmarks.bare_server")
    found = [
        Contestant(OURS, start_ours, lambda server: WebLine(server.port)),
        Contestant("ours, 24 kHz", start_ours, lambda server: WebLine(server.port, 24000)),
        Contestant(BARE, start_bare, lambda server: PeerLine(server.port, "/")),
    ]
    if python:
        start = functools.partial(Peer, python, "benchmarks.pipecat_server")
        path = f"/silence/{SHORT_S}"
        found.append(Contestant("Pipecat", start, lambda server: PeerLine(server.port, path)))
    return found


def compare(found: list[Contestant], counts: tuple[int, ...]) -> dict[str, list[Run]]:
    """Run each server with more and more sessions, in turn, until it fails twice in a row."""
    runs: dict[str, list[Run]] = {contestant.name: [] for contestant in found}
    for count in counts:
        for contestant in found:
            latest = runs[contestant.name][-2:]
            if len(latest) < 2 or any(carries(run) for run in latest):
                runs[contestant.name].append(contestant.run(count))
    return runs


def carries(run: Run) -> bool:
    """True if everybody was answered in time."""
    return run.p95_ms < MAX_MS and not run.errors


def verdict(name: str, runs: dict[str, list[Run]]) -> list[object]:
    """The row of a server: the number of sessions it carries, and the cost of each."""
    mine = runs[name]
    carried = max((run.sessions for run in mine if carries(run)), default=0)
    first, last = mine[0], mine[-1]
    each_mb = (last.memory_mb - first.memory_mb) / max(1, last.sessions - first.sessions)
    bare = {run.sessions: run.cpu_share for run in runs[BARE]}
    many = [run for run in mine if MANY <= run.sessions <= carried and run.sessions in bare]
    if not many:
        return [name, carried, "–", "–", each_mb]
    cpu = median([run.cpu_share / run.sessions for run in many])
    return [name, carried, cpu, median([run.cpu_share / bare[run.sessions] for run in many]), each_mb]


def main(counts: tuple[int, ...] = COUNTS) -> str:
    """Run the benchmark and return its tables."""
    pinned = stay_on(CLIENTS_CORE)
    where = "one core, clients on another" if pinned else "any core (the system does not let us choose)"
    python = os.environ.get(PIPECAT)
    found = contestants(python)
    runs = compare(found, counts)
    rows = [[name, *run.row()] for name, mine in runs.items() for run in mine]
    tables = [
        table(f"Sessions over WebSockets on {where}", ["server", *HEADER], rows),
        table(
            f"Sessions whose 95th percentile stays under {MAX_MS:.0f} ms",
            [
                "server",
                "sessions",
                "CPU % each",
                "CPU ÷ that of the bare one",
                "MB for each further one",
            ],
            [verdict(name, runs) for name in runs],
        ),
        table(
            f"Where the time of {runs[OURS][-1].sessions} sessions goes",
            ["thread", "% of the server's time"],
            runs[OURS][-1].by_thread(),
        ),
    ]
    if not python:
        tables.append(f"Pipecat is left out: {PIPECAT} does not name its Python.\n")
    return "\n".join(tables)


if __name__ == "__main__":
    print(main(tuple(map(int, sys.argv[1:])) or COUNTS))
