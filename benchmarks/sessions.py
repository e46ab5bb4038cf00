"""Many sessions over TCP on one core: human speech in real time, the real VAD, zero-cost engines."""

import asyncio
import sys
from dataclasses import dataclass

from benchmarks.client import Client
from benchmarks.figures import median, percentile, table
from benchmarks.server import Server, Usage, stay_on
from benchmarks.speech import monologue

COUNTS = (1, 20, 60, 100)
SWITCH_INTERVALS_S = (0.005, 0.0005)
SECONDS = 20.0
HEADER = (
    *("sessions", "CPU %", "CPU % each", "MB each", "threads", "answers"),
    *("decision ▶ first audio, median ms", "p95 ms", "errors"),
)
SERVERS_CORE, CLIENTS_CORE = 0, 1
STAGGER_S = 0.16
"""The clients begin within this time, evenly: packets of 20 ms and windows of 32 ms meet again after it,
so they come as those of strangers do, not all at the same moment."""


@dataclass(frozen=True)
class Run:
    """What so many sessions cost."""

    sessions: int
    before: Usage
    during: Usage
    """With everybody connected."""
    after: Usage
    answers_ms: list[float]
    errors: int

    @property
    def cpu_share(self) -> float:
        """Of one core, in percent."""
        return 100 * (self.after.cpu_s - self.during.cpu_s) / (SECONDS - 2)

    def row(self) -> list[object]:
        """For the table."""
        memory = (self.after.memory_mb - self.before.memory_mb) / self.sessions
        return [
            self.sessions,
            self.cpu_share,
            self.cpu_share / self.sessions,
            memory,
            self.after.threads,
            len(self.answers_ms),
            median(self.answers_ms),
            percentile(self.answers_ms, 0.95),
            self.errors,
        ]

    def by_thread(self) -> list[list[object]]:
        """Where the time went: the kinds of threads and their share of it."""
        used = {
            kind: seconds - self.during.cpu_s_by_thread.get(kind, 0.0)
            for kind, seconds in self.after.cpu_s_by_thread.items()
        }
        whole = sum(used.values()) or 1.0
        ordered = sorted(used.items(), key=lambda item: -item[1])
        return [[kind, 100 * seconds / whole] for kind, seconds in ordered if seconds > 0]


def measure(sessions: int, switch_interval_s: float, seconds: float = SECONDS) -> Run:
    """One server, so many clients, so many seconds."""
    with Server(SERVERS_CORE, switch_interval_s) as server:
        before = server.usage()
        clients = [
            Client(server.ports, monologue(seconds, first=3 * n), STAGGER_S * n / sessions)
            for n in range(sessions)
        ]
        during, after = asyncio.run(_talk(clients, server, seconds))
    answers = [answer for client in clients for answer in client.answers_ms]
    errors = sum(len(client.errors) for client in clients)
    return Run(sessions, before, during, after, answers, errors)


async def _talk(clients: list[Client], server: Server, seconds: float) -> tuple[Usage, Usage]:
    talking = asyncio.gather(*(client.talk() for client in clients))
    await asyncio.sleep(1)
    during = await asyncio.to_thread(server.usage)
    await asyncio.sleep(seconds - 2)
    after = await asyncio.to_thread(server.usage)
    await talking
    return during, after


def main() -> str:
    """The tables."""
    pinned = stay_on(CLIENTS_CORE)
    where = "one core, clients on another" if pinned else "any core (the system does not let us choose)"
    tables = []
    for switch_interval_s in SWITCH_INTERVALS_S:
        runs = [measure(count, switch_interval_s) for count in COUNTS]
        tables.append(
            table(
                f"Sessions over TCP on {where}; switch interval {1000 * switch_interval_s} ms",
                HEADER,
                [run.row() for run in runs],
            )
        )
        if switch_interval_s == sys.getswitchinterval():
            title = f"Where the time of {runs[-1].sessions} sessions goes"
            tables.append(table(title, ["thread", "% of the server's time"], runs[-1].by_thread()))
    return "\n".join(tables)


if __name__ == "__main__":
    print(main())
