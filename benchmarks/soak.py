"""Twenty users who ask, interrupt, drop, come back and leave, for any length of time: what grows?

``python -m benchmarks.soak 30`` takes thirty minutes. The server has its own process, and engines that
take random times; loud audio counts as speech, and every utterance has words, so a turn without an
answer is a fault of ours.
"""

import asyncio
import functools
import random
import sys

from benchmarks.figures import table
from benchmarks.footprint import Footprint
from benchmarks.program import open_files
from benchmarks.server import CLIENTS_CORE, Server, stay_on
from benchmarks.tally import Tally
from benchmarks.unhurried import unhurried_engines
from benchmarks.visitor import Visitor

SEED = 1
SESSIONS = 20
MINUTES = 30.0
WARM_UP_S = 15.0
"""Time of talk before anything is measured, since first uses of everything stay in memory."""

LOOKS = 10
HEADER = ["minute", "resident MB", "threads", "file descriptors", "turns asked", "never answered"]
HEADER += ["came back", "sessions begun anew", "errors"]


async def talk(server: Server, seconds: float, tally: Tally, looks: int = 0) -> list[list[object]]:
    """Let all users talk for `seconds`; look at the server from outside `looks` times."""
    over = asyncio.Event()
    visitors = [Visitor(random.Random(SEED + n), tally, server.port) for n in range(SESSIONS)]
    staying = asyncio.gather(*(visitor.stay(over) for visitor in visitors))
    rows = []
    for look in range(looks):
        await asyncio.sleep(seconds / looks)
        rows.append([seconds * (look + 1) / looks / 60, *_seen(server, tally)])
    if not looks:
        await asyncio.sleep(seconds)
    over.set()
    await staying
    return rows


def _seen(server: Server, tally: Tally) -> list[object]:
    usage, ways = server.usage(), tally.ways
    came_back = ways["drops"] + ways["asks and drops"]
    turns = [tally.awaited, tally.silent_turns, came_back, ways["leaves"], len(tally.errors)]
    return [usage.memory_mb, usage.threads, open_files(server.pid), *turns]


def left_behind(before: Footprint, after: Footprint, tally: Tally) -> list[list[object]]:
    """The rows of the second table."""
    return [
        [f"turns never answered, of {tally.awaited}", tally.silent_turns, "0"],
        [f"frames of an old turn, of {tally.frames}", tally.old_frames, "0"],
        *after.rows_since(before),
    ]


def main(minutes: float = MINUTES) -> str:
    """Run the benchmark and return its tables."""
    stay_on(CLIENTS_CORE)
    tally = Tally()
    with Server(functools.partial(unhurried_engines, random.Random(SEED)), web=True) as server:
        asyncio.run(talk(server, WARM_UP_S, Tally()))
        before = server.footprint()
        rows = asyncio.run(talk(server, 60 * minutes, tally, LOOKS))
        after = server.footprint()
    title = f"{SESSIONS} people over the WebSocket for {minutes:g} minutes, seed {SEED}"
    tables = [
        table(title, HEADER, rows),
        table("And when all have left", ["", "measured", "aim"], left_behind(before, after, tally)),
    ]
    return "\n".join([*tables, *sorted(set(tally.errors))])


if __name__ == "__main__":
    print(main(*map(float, sys.argv[1:])))
