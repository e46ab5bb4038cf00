"""The program as a user starts it, watched from outside."""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LISTENING = "microphones connect to"
"""Text that the server prints when it is ready."""

OPEN = "in a browser"
"""The same of a server of the page."""


def seconds_to_run(*command: str) -> float:
    """Measure a Python command from start to end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


@contextlib.contextmanager
def server(*flags: str) -> Iterator[tuple[float, "subprocess.Popen[str]", tuple[int, int]]]:
    """Run a server with its default engines. Yields the seconds until it listened, its process, and its
    ports."""
    started = time.perf_counter()
    with _running(LISTENING, "--recv_port", "0", "--send_port", "0", *flags) as (process, line):
        listening_s = time.perf_counter() - started
        ports = [int(word.rstrip(",;").rpartition(":")[2]) for word in line.split() if ":" in word]
        yield listening_s, process, (ports[0], ports[1])


@contextlib.contextmanager
def web_server(*flags: str) -> Iterator[int]:
    """Run a server of the page and the WebSocket. Yields its port, and passes on its errors."""
    with _running(OPEN, "--mode", "websocket", "--port", "0", *flags) as (process, line):
        assert process.stderr is not None
        copying = threading.Thread(target=shutil.copyfileobj, args=(process.stderr, sys.stderr))
        copying.start()
        try:
            yield int(line.partition("//")[2].partition("/")[0].rpartition(":")[2])
        finally:
            process.terminate()
            copying.join()


@contextlib.contextmanager
def _running(ready: str, *flags: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the program. Yields its process, and the line with which it says that it is ready. Raises
    `ChildProcessError` if it ends before that."""
    command = [sys.executable, "s2s_pipeline.py", *flags]
    out, err = subprocess.DEVNULL, subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err, text=True)
    said = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if ready in line:
                break
        else:
            raise ChildProcessError(f"expected the program to start, got: {''.join(said).strip()}")
        yield process, line
    finally:
        process.terminate()
        process.communicate()


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(shown.stdout) / 1024


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, in seconds. Raises `OSError` where not on Linux."""
    return sum(map(int, _stat(pid)[11:13])) / os.sysconf("SC_CLK_TCK")


def threads(pid: int) -> int:
    """Number of threads of a process. Raises `OSError` where not on Linux."""
    return int(_stat(pid)[17])


def core_busy_s(core: int) -> float:
    """Busy time of a core so far, for any process. Raises `OSError` where not on Linux."""
    lines = Path("/proc/stat").read_text().splitlines()
    ticks = next(line.split()[1:] for line in lines if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _waiting, *rest = map(int, ticks[:8])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields behind the name of the process, which may contain spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def open_files(pid: int) -> int:
    """Number of file descriptors that a process holds. Raises `OSError` where not on Linux."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def context_switches(pid: int) -> int:
    """Number of times the threads of a process went to sleep so far. Raises `OSError` where not on
    Linux."""
    count = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                count += int(line.split()[1])
    return count
