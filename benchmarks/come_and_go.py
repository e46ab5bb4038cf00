"""A thousand clients that connect, say something and leave: does anything remain?

Over the WebSocket, twenty at a time; every other client says goodbye, the others are cut off and never
return to the sessions that wait for them.
"""

import asyncio

from benchmarks.figures import table
from benchmarks.line import WebLine
from benchmarks.server import CLIENTS_CORE, Server, stay_on
from benchmarks.speech import PACKET
from connections.access.client_registry import GRACE_S

TIMES = 1000
"""Clients that are measured, after as many that are not: memory stays as large as its peak."""

AT_A_TIME = 20
REFUSED_S = 0.5
"""Wait of a refused client before it tries again."""

PACKETS = 10
"""200 ms of silence from each client."""


async def come_and_go(port: int) -> int:
    """Run the clients and return the number of refusals."""
    refused = 0
    for _ in range(TIMES // AT_A_TIME):
        refused += sum(await asyncio.gather(*(_visit(port, number) for number in range(AT_A_TIME))))
    await asyncio.sleep(GRACE_S + 1)
    return refused


async def _visit(port: int, number: int) -> int:
    line, refused = WebLine(port), 0
    while not await _comes_in(line):
        refused += 1
        await asyncio.sleep(REFUSED_S)
    for _ in range(PACKETS):
        line.send(bytes(2 * PACKET))
    if number % 2:
        line.close()
    else:
        line.drop()
    return refused


async def _comes_in(line: WebLine) -> bool:
    try:
        await line.open()
    except ConnectionRefusedError:
        return False
    return True


def main() -> str:
    """Run the benchmark and return its table."""
    stay_on(CLIENTS_CORE)
    with Server(web=True) as server:
        asyncio.run(come_and_go(server.port))
        before = server.footprint()
        refused = asyncio.run(come_and_go(server.port))
        after = server.footprint()
    rows = [["refused, and tried again", refused, ""], *after.rows_since(before)]
    return table(f"{TIMES} people who come and go", ["", "measured", "aim"], rows)


if __name__ == "__main__":
    print(main())
