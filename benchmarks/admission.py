"""Clients join until the server refuses them, with no fixed limit: what do those already inside notice?

A server refuses by a measured value, the time that audio waits for its VAD. Human speech in real time,
the real VAD, zero-cost engines, over the WebSocket, on one core.
"""

import asyncio
import functools
import math
import time
from dataclasses import dataclass, field

from benchmarks.figures import median, percentile, table
from benchmarks.line import WebLine
from benchmarks.server import CLIENTS_CORE, Server, stay_on
from benchmarks.speech import Monologue
from benchmarks.talker import Talker
from benchmarks.zero_cost import SECOND, zero_cost_engines

EVERY_S = 0.3
"""Interval between two arrivals."""

MOST = 220
"""Maximum number of clients."""

REFUSALS = 20
"""Refusals after which no more clients arrive."""

GO_ON_S = 15.0
"""Time that the admitted clients go on talking after the last arrival."""


@dataclass
class Crowd:
    """The clients that were admitted."""

    talkers: list[Talker] = field(default_factory=list)
    refused: int = 0
    full_at: float = math.inf
    """Time of the first refusal."""


async def fill(server: Server) -> Crowd:
    """Add clients until they are refused, then let the admitted ones talk on for a while."""
    crowd, loop, talking = Crowd(), asyncio.get_running_loop(), []
    for number in range(MOST):
        left_s = (MOST - number) * EVERY_S + GO_ON_S
        talker = Talker(WebLine(server.port), Monologue.of(left_s, first=3 * number).audio)
        try:
            await talker.connect()
        except ConnectionRefusedError:
            crowd.refused += 1
            crowd.full_at = min(crowd.full_at, loop.time())
        else:
            crowd.talkers.append(talker)
            talking.append(asyncio.create_task(talker.talk()))
        if crowd.refused == REFUSALS:
            break
        await asyncio.sleep(EVERY_S)
    await asyncio.sleep(GO_ON_S)
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    return crowd


def main() -> str:
    """Run the benchmark and return its table."""
    stay_on(CLIENTS_CORE)
    with Server(functools.partial(zero_cost_engines, SECOND), web=True) as server:
        began, before = time.monotonic(), server.usage()
        crowd = asyncio.run(fill(server))
        elsewhere_s, took_s = server.usage().elsewhere_s(before), time.monotonic() - began
    rows: list[list[object]] = []
    for name, (since, until) in (
        ("until somebody was refused", (0.0, crowd.full_at)),
        ("from then on", (crowd.full_at, math.inf)),
    ):
        answers = [ms for talker in crowd.talkers for ms in talker.answers_ms(since=since, until=until)]
        if answers:
            rows.append([name, len(answers), median(answers), percentile(answers, 0.95)])
    title = f"{len(crowd.talkers)} sessions let in, {crowd.refused} refused, one every {EVERY_S} s"
    header = ["", "answers", "decision ▶ first audio, median ms", "p95 ms"]
    load = f"Other load on the server's core: {100 * elsewhere_s / took_s:.0f} %.\n"
    return f"{table(title, header, rows)}\n{load}"


if __name__ == "__main__":
    print(main())
