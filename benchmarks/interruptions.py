"""A thousand interruptions at random moments, all sessions at once, over TCP: does anything remain?

In real time, over shared engines that take random times. Loud audio counts as speech, and every
utterance has words, so a turn without an answer is a fault of ours.
"""

import asyncio
import random
import threading
import weakref

from arguments_classes.socket_arguments import SocketArguments
from benchmarks.figures import median, percentile, table
from benchmarks.footprint import Footprint
from benchmarks.interrupter import Interrupter
from benchmarks.tally import Tally
from benchmarks.unhurried import unhurried_engines
from connections.tcp.server import SocketServer
from pipeline.clock import Clock
from pipeline.session import Session
from pipeline.sink import Sink
from s2s_pipeline import build_pipeline
from utils.shutdown import StopRequest

SEED = 1
SESSIONS = 20
TIMES, WARM_UP_TIMES = 50, 5
"""Interruptions of each session: 1,000 in all, after 100 from as many sessions that are not measured."""
CLOSE_S = 10.0


class Host:
    """The socket server in this process, so that its sessions can be interrupted from inside."""

    def __init__(self, chance: random.Random) -> None:
        self.sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        """Sessions still in memory."""
        self._latest: Session | None = None
        self._engines = unhurried_engines(chance)
        self._stop = StopRequest()
        self._server = SocketServer(SocketArguments(recv_port=0, send_port=0), self._stop)
        self._server.open()
        self.ports = self._server.ports
        self._thread = threading.Thread(target=self._server.run, args=(self._open_session,))

    def __enter__(self) -> "Host":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.make()
        self._thread.join()
        self._engines.close()

    def take_latest(self) -> Session:
        """Return the session of the client that connected last."""
        session, self._latest = self._latest, None
        assert session is not None
        return session

    def _open_session(self, sink: Sink, label: str, clock: Clock | None = None) -> Session:
        self._latest = build_pipeline(self._engines, sink, clock=clock)
        self.sessions.add(self._latest)
        return self._latest


async def interrupt(host: Host, times: int) -> Tally:
    """Run all users at once, each with `times` interruptions, until the last has left."""
    tally = Tally()
    clients, sessions = [], []
    for number in range(SESSIONS):
        client = Interrupter(random.Random(SEED + number), tally)
        await client.connect(host.ports)
        clients.append(client)
        sessions.append(host.take_latest())
    pairs = zip(clients, sessions, strict=True)
    await asyncio.gather(*(client.interrupt(session, times) for client, session in pairs))
    for client, session in zip(clients, sessions, strict=True):
        await client.leave()
        session.join(CLOSE_S)
    return tally


def figures(tally: Tally, before: Footprint, after: Footprint) -> list[list[object]]:
    """The rows of the table."""
    return [
        ["interruptions", tally.ways.total(), "1000"],
        *([f"… {way}", count, ""] for way, count in sorted(tally.ways.items())),
        ["… before anything of the answer was heard", tally.unheard, ""],
        [f"turns without an answer, of {tally.awaited} that waited for it", tally.silent_turns, "0"],
        [f"frames of an old turn, of {tally.frames}", tally.old_frames, "0"],
        ["errors", len(tally.errors), "0"],
        ["`interrupt()` ▶ the sink is flushed, median / p95 ms", _spread(tally.returned_ms), ""],
        ["`interrupt()` ▶ the client has the flush, median / p95 ms", _spread(tally.told_ms), ""],
        *after.rows_since(before),
    ]


def _spread(times_ms: list[float]) -> str:
    return f"{median(times_ms):.2f} / {percentile(times_ms, 0.95):.2f}"


def main() -> str:
    """Run the benchmark and return its table."""
    with Host(random.Random(SEED)) as host:
        asyncio.run(interrupt(host, WARM_UP_TIMES))
        before = Footprint.now(host.sessions)
        tally = asyncio.run(interrupt(host, TIMES))
        after = Footprint.now(host.sessions)
    title = f"Interruptions at random moments, {SESSIONS} sessions at once, seed {SEED}"
    return table(title, ["", "measured", "aim"], figures(tally, before, after))


if __name__ == "__main__":
    print(main())
