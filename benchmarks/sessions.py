"""Many sessions over TCP on one core: human speech in real time, the real VAD, zero-cost engines."""

import sys

from benchmarks.crowd import HEADER, Run, talk_to
from benchmarks.figures import table
from benchmarks.line import FramedLine
from benchmarks.server import CLIENTS_CORE, Server, stay_on

COUNTS = (1, 20, 60, 100)
SWITCH_INTERVALS_S = (0.005, 0.0005)


def measure(sessions: int, switch_interval_s: float) -> Run:
    """Measure one server with this many sessions."""
    with Server(switch_interval_s=switch_interval_s) as server:
        return talk_to(server, lambda: FramedLine(server.ports), sessions)


def main() -> str:
    """Run the benchmark and return its tables."""
    pinned = stay_on(CLIENTS_CORE)
    where = "one core, clients on another" if pinned else "any core (the system does not let us choose)"
    tables = []
    for switch_interval_s in SWITCH_INTERVALS_S:
        runs = [measure(count, switch_interval_s) for count in COUNTS]
        title = f"Sessions over TCP on {where}; switch interval {1000 * switch_interval_s} ms"
        tables.append(table(title, HEADER, [run.row() for run in runs]))
        if switch_interval_s == sys.getswitchinterval():
            title = f"Where the time of {runs[-1].sessions} sessions goes"
            tables.append(table(title, ["thread", "% of the server's time"], runs[-1].by_thread()))
    return "\n".join(tables)


if __name__ == "__main__":
    print(main())
