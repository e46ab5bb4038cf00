"""Cost before anybody speaks: the start, --help, memory and wake-ups at rest."""

import socket
import time
import uuid

from benchmarks.figures import median, table
from benchmarks.program import context_switches, memory_mb, seconds_to_run, server
from connections.tcp.pairing import PAIRING_S
from connections.tcp.wire import Hello, encode_hello

RUNS = 7
IDLE_S = 20.0


def seconds_of_help() -> float:
    """Median seconds of `--help`."""
    return median([seconds_to_run("s2s_pipeline.py", "--help") for _ in range(RUNS)])


def start_and_memory() -> tuple[float, float]:
    """Median seconds until the server listens, and its memory in MB then, with default engines."""
    starts, sizes = [], []
    for _ in range(RUNS):
        with server() as (seconds, process, _ports):
            starts.append(seconds)
            sizes.append(memory_mb(process.pid))
    return median(starts), median(sizes)


def wake_ups_per_s() -> float:
    """Wake-ups of a server with one session that receives no sound. Raises `OSError` where not on
    Linux."""
    with server() as (_seconds, process, ports):
        hello = encode_hello(Hello(uuid.uuid4().hex))
        with (
            socket.create_connection(("127.0.0.1", ports[0])) as microphone,
            socket.create_connection(("127.0.0.1", ports[1])) as loudspeaker,
        ):
            microphone.sendall(hello)
            loudspeaker.sendall(hello)
            loudspeaker.recv(1024)  # the welcome message
            time.sleep(PAIRING_S + 1)  # until the timers of the start have run out
            before = context_switches(process.pid)
            time.sleep(IDLE_S)
            return (context_switches(process.pid) - before) / IDLE_S


def main() -> str:
    """Run the benchmark and return its table."""
    seconds_to_run("s2s_pipeline.py", "--help")  # or the first run alone would read from disk
    start, memory = start_and_memory()
    rows = [
        ["start ▶ listening, default engines, warm", f"{start:.2f} s", "< 2 s"],
        ["memory at rest, default engines loaded", f"{memory:.0f} MB", "< 400 MB"],
        ["--help", f"{seconds_of_help():.2f} s", "< 0.5 s"],
        ["wake-ups of a session without sound", f"{wake_ups_per_s():.2f} /s", "none"],
    ]
    return table(f"Before anybody speaks (medians of {RUNS})", ["", "measured", "aim"], rows)


if __name__ == "__main__":
    print(main())
