"""A server in a process of its own, on a core of its own, and what it used: one of ours, or a peer."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from arguments_classes.socket_arguments import SocketArguments
from arguments_classes.websocket_arguments import WebSocketArguments
from benchmarks.footprint import Footprint
from benchmarks.program import ROOT, core_busy_s, cpu_s, memory_mb, threads
from benchmarks.zero_cost import zero_cost_engines
from connections.tcp.server import SocketServer
from connections.web.server import WebSocketServer
from engines.engines import Engines
from pipeline.clock import Clock
from pipeline.session import Session
from pipeline.sink import Sink
from s2s_pipeline import build_pipeline
from utils.shutdown import StopRequest

SERVERS_CORE, CLIENTS_CORE = 0, 1

NO_LIMIT = 1000
"""Sessions; nobody is refused because of how many there are."""


@dataclass(frozen=True)
class Usage:
    """What a process has used up to now."""

    cpu_s: float
    memory_mb: float
    threads: int
    core_busy_s: float
    """How long its core has computed, whatever for."""
    cpu_s_by_thread: dict[str, float] = field(default_factory=dict)
    """By the kind of thread, where the process tells."""

    def elsewhere_s(self, since: "Usage") -> float:
        """What others, and the system itself, have computed on this core in the meantime."""
        return max(0.0, self.core_busy_s - since.core_busy_s - (self.cpu_s - since.cpu_s))

    @classmethod
    def of(cls, pid: int, cpu_s_by_thread: dict[str, float] | None = None) -> "Usage":
        """Of this process, on the servers' core. Raises `OSError` where not on Linux."""
        busy_s = core_busy_s(SERVERS_CORE)
        return cls(cpu_s(pid), memory_mb(pid), threads(pid), busy_s, cpu_s_by_thread or {})


class Serving(Protocol):
    """A server in a process of its own."""

    def usage(self) -> Usage:
        """Up to now."""
        ...


class Server:
    """Ours: its two ports, or with `web` its WebSocket. Serves until the block ends, on one core where
    the system lets us choose."""

    def __init__(
        self,
        engines: Callable[[], Engines] = zero_cost_engines,
        *,
        web: bool = False,
        switch_interval_s: float = sys.getswitchinterval(),
    ) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        spawned = multiprocessing.get_context("spawn")
        what = theirs, engines, web, switch_interval_s
        self._process = spawned.Process(target=_serve, args=what)

    def __enter__(self) -> "Server":
        self._process.start()
        self.ports: tuple[int, ...] = self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send("stop")
        self._process.join()

    @property
    def port(self) -> int:
        """The first one: of microphones, or that of the WebSocket."""
        return self.ports[0]

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def usage(self) -> Usage:
        self._ours.send("threads")
        return Usage.of(self.pid, self._ours.recv())

    def footprint(self) -> Footprint:
        """Seen from inside."""
        self._ours.send("footprint")
        seen: Footprint = self._ours.recv()
        return seen


class Peer:
    """A module that serves on one port, which it prints, under a Python of its own."""

    def __init__(self, python: str, module: str) -> None:
        self._command = [python, "-m", module]

    def __enter__(self) -> "Peer":
        stay_on(SERVERS_CORE)  # which the process inherits
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        stay_on(CLIENTS_CORE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def usage(self) -> Usage:
        return Usage.of(self._process.pid)


def stay_on(core: int) -> bool:
    """Run on this core alone. False: the system does not let us choose."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
    return True


def _serve(
    control: Connection, engines: Callable[[], Engines], web: bool, switch_interval_s: float
) -> None:
    stay_on(SERVERS_CORE)
    sys.setswitchinterval(switch_interval_s)
    loaded, stop = engines(), StopRequest()
    gc.freeze()  # as the program does
    sessions: weakref.WeakSet[Session] = weakref.WeakSet()
    server: WebSocketServer | SocketServer
    if web:
        server = WebSocketServer(WebSocketArguments(port=0, max_sessions=NO_LIMIT), stop)
        ports: tuple[int, ...] = (server.port,)
    else:
        server = SocketServer(SocketArguments(recv_port=0, send_port=0), stop)
        ports = server.ports

    def open_session(sink: Sink, label: str, clock: Clock | None = None) -> Session:
        session = build_pipeline(loaded, sink, clock=clock)
        sessions.add(session)
        return session

    serving = threading.Thread(target=server.run, args=(open_session,), name="sockets")
    serving.start()
    control.send(ports)
    while (wanted := control.recv()) != "stop":
        control.send(_cpu_s_by_thread() if wanted == "threads" else Footprint.now(sessions))
    stop.make()
    serving.join()
    loaded.close()


def _cpu_s_by_thread() -> dict[str, float]:
    used: dict[str, float] = defaultdict(float)
    for thread in threading.enumerate():
        stat = Path(f"/proc/self/task/{thread.native_id}/stat")
        if stat.exists():
            ticks = stat.read_text().rpartition(")")[2].split()[11:13]
            kind = thread.name.partition(" slot")[0]
            used[kind] += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return dict(used)
