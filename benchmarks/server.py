"""A server in its own process, on its own core, and its usage: one of ours, or a peer's."""

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
"""Maximum number of sessions, so high that none is refused because of it."""


@dataclass(frozen=True)
class Usage:
    """Resources that a process has used so far."""

    cpu_s: float
    memory_mb: float
    threads: int
    core_busy_s: float
    """Busy time of its core, for any process."""
    cpu_s_by_thread: dict[str, float] = field(default_factory=dict)
    """CPU time by the kind of thread, for processes that report it."""

    def elsewhere_s(self, since: "Usage") -> float:
        """CPU time of other processes, and of the system itself, on this core since then."""
        return max(0.0, self.core_busy_s - since.core_busy_s - (self.cpu_s - since.cpu_s))

    @classmethod
    def of(cls, pid: int, cpu_s_by_thread: dict[str, float] | None = None) -> "Usage":
        """Measure this process, on the servers' core. Raises `OSError` where not on Linux."""
        busy_s = core_busy_s(SERVERS_CORE)
        return cls(cpu_s(pid), memory_mb(pid), threads(pid), busy_s, cpu_s_by_thread or {})


class Serving(Protocol):
    """A server in its own process."""

    def usage(self) -> Usage:
        """Usage so far."""
        ...


class Server:
    """Our server: its two ports, or with `web` its WebSocket. Serves until the block ends, on one core
    where the system allows the choice."""

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
        """The first port: that of microphones, or of the WebSocket."""
        return self.ports[0]

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def usage(self) -> Usage:
        self._ours.send("threads")
        return Usage.of(self.pid, self._ours.recv())

    def footprint(self) -> Footprint:
        """Measure the server's footprint from inside."""
        self._ours.send("footprint")
        seen: Footprint = self._ours.recv()
        return seen


class Peer:
    """A module that serves on one port, which it prints, under its own Python."""

    def __init__(self, python: str, module: str) -> None:
        self._command = [python, "-m", module]

    def __enter__(self) -> "Peer":
        stay_on(SERVERS_CORE)  # inherited by the process
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
    """Run on this core alone. Returns False if the system does not allow the choice."""
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
