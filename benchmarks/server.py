"""The socket server over zero-cost engines, in a process of its own, that says what it used."""

import multiprocessing
import os
import resource
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from arguments_classes.socket_arguments import SocketArguments
from benchmarks.program import memory_mb
from benchmarks.zero_cost import REPLY, zero_cost_engines
from connections.socket_server import SocketServer
from pipeline.clock import Clock
from pipeline.session import Session
from pipeline.sink import Sink
from s2s_pipeline import build_pipeline
from utils.shutdown import Request


@dataclass(frozen=True)
class Usage:
    """What a process has used up to now."""

    cpu_s: float
    memory_mb: float
    threads: int
    cpu_s_by_thread: dict[str, float]
    """By the kind of thread; empty where the system does not tell."""

    @classmethod
    def now(cls) -> "Usage":
        """Of this process."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        by_thread: dict[str, float] = defaultdict(float)
        for thread in threading.enumerate():
            stat = Path(f"/proc/self/task/{thread.native_id}/stat")
            if stat.exists():
                ticks = stat.read_text().rpartition(")")[2].split()[11:13]
                kind = thread.name.partition(" slot")[0]
                by_thread[kind] += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        cpu_s = used.ru_utime + used.ru_stime
        return cls(cpu_s, memory_mb(os.getpid()), threading.active_count(), dict(by_thread))


class Server:
    """Serves until the block ends, on one core where the system lets us choose."""

    def __init__(self, core: int, switch_interval_s: float, reply: str = REPLY) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        spawned = multiprocessing.get_context("spawn")
        self._process = spawned.Process(target=_serve, args=(theirs, core, switch_interval_s, reply))

    def __enter__(self) -> "Server":
        self._process.start()
        self.ports: tuple[int, int] = self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send("stop")
        self._process.join()

    def usage(self) -> Usage:
        """Up to now."""
        self._ours.send("usage")
        used: Usage = self._ours.recv()
        return used


def stay_on(core: int) -> bool:
    """Run on this core alone. False: the system does not let us choose."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
    return True


def _serve(control: Connection, core: int, switch_interval_s: float, reply: str) -> None:
    stay_on(core)
    sys.setswitchinterval(switch_interval_s)
    engines, stop = zero_cost_engines(reply), Request()
    server = SocketServer(SocketArguments(recv_port=0, send_port=0), stop)

    def open_session(sink: Sink, label: str, clock: Clock | None = None) -> Session:
        return build_pipeline(engines, sink, clock=clock)

    serving = threading.Thread(target=server.run, args=(open_session,), name="sockets")
    serving.start()
    control.send(server.ports)
    while control.recv() == "usage":
        control.send(Usage.now())
    stop.make()
    serving.join()
