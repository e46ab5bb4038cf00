"""A thousand people who come, say something and are gone: what is left behind?

Over the WebSocket, twenty at a time; every other one says goodbye, the others are cut off, and their
sessions wait for them in vain.
"""

import asyncio

from benchmarks.figures import table
from benchmarks.line import WebLine
from benchmarks.server import CLIENTS_CORE, Server, stay_on
from benchmarks.speech import PACKET
from connections.access.client_registry import GRACE_S

TIMES = 1000
"""After as many that are not measured: memory keeps the shape of the most that was there at once."""

AT_A_TIME = 20
REFUSED_S = 0.5
"""After which who was refused tries again."""

PACKETS = 10
"""200 ms of silence from each."""


async def come_and_go(port: int) -> int:
    """How often somebody was refused."""
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
    """The table."""
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
