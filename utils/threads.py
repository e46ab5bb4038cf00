"""Threads of the native engines: sets their number for all of them.

By default each library decides as if it were alone on the machine, regardless of the others and of the
quota of a container.
"""

import math
import os
import platform
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

ENOUGH = 4
"""Number of threads beyond which a recognizer or synthesizer gains nothing, since its steps are too
small to be divided."""

_COUNT = "OMP_NUM_THREADS"

_LIMITS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "3000", "KMP_BLOCKTIME": "0"}
"""Threads that wait must sleep: a spinning one takes a core from the engine that is waited for. GCC's
library lets them spin for some microseconds first, since llama.cpp waits a thousand times for each word:
8 ms a word on two idle cores, 22 without, and 18 on two busy ones, as with one thread (SmolLM2)."""

_NUMPY = "OPENBLAS_NUM_THREADS"
"""numpy gets one thread: the features for the turn detector then take 3 ms of computing time, and 25 to
35 on two threads, which spin. Only on x86, since on ARM torch computes with OpenBLAS, too."""


def engine_threads(stage: str) -> int:
    """Number of threads for the engine of a stage: ``vad``, ``stt``, ``llm``, ``tts``, ``s2s``.

    Engines that run at the same time should have no more threads than there are cores, since the
    threads of one engine wait for each other: one without a core delays all. At a pause the recognizer
    runs beside the turn detector, which takes one core for 0.05 s; later the synthesizer speaks the
    first clause while the language model writes the second. That model has the most to compute, so on
    two cores it gets both.
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
    """Set the variables from which libraries (torch, CTranslate2, MKL, OpenBLAS) take the number of
    their threads, for this process and its workers. Variables that the user has set are kept.

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
    """Number of cores for this process. Two hyperthreads of a core share its arithmetic units, so they
    count as one; on macOS and Windows, which do not report them, as two."""
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
            folders = [f"/sys/fs/cgroup/cpu{path}", "/sys/fs/cgroup/cpu"]  # in a container, the second
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
