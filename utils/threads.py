"""Threads of the native engines: how many each one gets, decided here for all of them.

The libraries decide each for themselves, as if they were alone on the machine, and look at neither the
quota of a container nor each other.
"""

import math
import os
import platform
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

ENOUGH = 4
"""Threads beyond which a recognizer or a synthesizer of a sentence gains nothing, as its steps are too
small to be divided."""

_COUNT = "OMP_NUM_THREADS"

_LIMITS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "3000", "KMP_BLOCKTIME": "0"}
"""Threads that wait must sleep: a spinning one takes a core from the engine that is waited for. GCC's
library lets them spin for some microseconds first, since llama.cpp waits a thousand times for each word:
8 ms a word on two idle cores, 22 without, and 18 on two busy ones, as with one thread (SmolLM2)."""

_NUMPY = "OPENBLAS_NUM_THREADS"
"""numpy gets one thread: the features for the turn detector then cost 3 ms, and 25 to 35 ms of computing
time on two, which spin. Only on x86, since on ARM torch computes with OpenBLAS, too."""


def engine_threads(stage: str) -> int:
    """Number of threads for the engine of a stage: ``vad``, ``stt``, ``llm``, ``tts``, ``s2s``.

    What runs side by side must fit, since threads of one engine wait for each other: one that has no
    core keeps the others waiting. At a pause the recognizer works beside the turn detector, which takes
    one core for 0.05 s; later the voice says the first clause while the model writes the second. The
    model has the most to do, so on two cores it has both.
    """
    available = cores()
    beside_another = max(1, available - 1)
    match stage:
        case "vad":
            return 1
        case "stt" | "tts":
            return min(ENOUGH, beside_another)
        case _:
            return max(beside_another, min(2, available))


def apply_thread_limits(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables from which libraries take the number of their threads (torch, CTranslate2, MKL,
    OpenBLAS), in this process and its workers. Variables that the user has set are kept.

    Must run before those libraries, and numpy, are imported.
    """
    environment.setdefault(_COUNT, str(cores(environment)))
    for variable, value in _LIMITS.items():
        environment.setdefault(variable, value)
    if platform.machine() in ("x86_64", "AMD64"):
        environment.setdefault(_NUMPY, "1")


def cores(environment: Mapping[str, str] = os.environ) -> int:
    """Number of cores for native code: OMP_NUM_THREADS if it is set, else the physical cores on which
    this process may run, within the quota of its container; at least 1."""
    wanted = environment.get(_COUNT, "").partition(",")[0].strip()
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    return max(1, min(_physical_cores(), _quota()))


def _physical_cores() -> int:
    """Two hyperthreads of a core share its arithmetic units, so they count as one. (Where the system
    does not tell, on macOS and Windows, each counts.)"""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    ours = os.sched_getaffinity(0)
    siblings = (_text(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") for cpu in ours)
    return len({shared or str(cpu) for cpu, shared in zip(ours, siblings, strict=True)})


def _quota() -> int:
    """Cores that the CPU quotas of the control groups of this process allow, rounded up."""
    return min((math.ceil(share) for share in _shares()), default=os.cpu_count() or 1)


def _shares() -> Iterator[float]:
    for line in _text("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2; a limit of a parent counts, too
            folders = ["/sys/fs/cgroup" + str(at) for at in (Path(path), *Path(path).parents)]
            limits = [_text(f"{folder}/cpu.max").split() for folder in folders]
        elif "cpu" in controllers.split(","):
            folders = [f"/sys/fs/cgroup/cpu{path}", "/sys/fs/cgroup/cpu"]  # in a container the second
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            limits = [[_text(f"{folder}/{name}").strip() for name in names] for folder in folders]
        else:
            continue
        for limit in limits:
            if len(limit) == 2 and all(part.isdecimal() for part in limit) and int(limit[1]):
                yield int(limit[0]) / int(limit[1])


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except OSError:
        return ""
