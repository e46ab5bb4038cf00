"""The number of threads that each native engine gets."""

import os
import subprocess
import sys

import pytest

from tests.command import ROOT
from utils import threads
from utils.threads import apply_thread_limits, cores, engine_threads


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The files of the kernel that tell about cores, by path; the others do not exist."""
    found: dict[str, str] = {}
    monkeypatch.setattr(threads, "_text", lambda file: found.get(str(file), ""))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return found


def test_all_cores(files: dict[str, str]) -> None:
    assert cores() == 8


def test_two_hyperthreads_of_a_core_count_as_one(files: dict[str, str]) -> None:
    for cpu in range(8):
        file = f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
        files[file] = f"{cpu % 4},{cpu % 4 + 4}\n"
    assert cores() == 4


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max 100000\n", 8), ("150000 100000\n", 2), ("50000 100000\n", 1), ("nonsense\n", 8)],
)
def test_the_quota_of_a_container_counts(files: dict[str, str], limit: str, expected: int) -> None:
    files["/proc/self/cgroup"] = "0::/\n"
    files["/sys/fs/cgroup//cpu.max"] = limit
    assert cores() == expected


def test_the_quota_of_a_parent_counts(files: dict[str, str]) -> None:
    files["/proc/self/cgroup"] = "0::/pod/container\n"
    files["/sys/fs/cgroup/pod/cpu.max"] = "300000 100000\n"
    files["/sys/fs/cgroup/pod/container/cpu.max"] = "max 100000\n"
    assert cores() == 3


@pytest.mark.parametrize(("quota", "expected"), [("200000", 2), ("-1", 8)])
def test_the_quota_of_control_groups_of_version_1(
    files: dict[str, str], quota: str, expected: int
) -> None:
    files["/proc/self/cgroup"] = "3:cpu,cpuacct:/docker/1234\n2:memory:/docker/1234\n"
    files["/sys/fs/cgroup/cpu/cpu.cfs_quota_us"] = quota + "\n"
    files["/sys/fs/cgroup/cpu/cpu.cfs_period_us"] = "100000\n"
    assert cores() == expected


@pytest.mark.parametrize(("wanted", "expected"), [("3", 3), ("4,2", 4), ("0", 8), ("all", 8), ("", 8)])
def test_the_user_decides(files: dict[str, str], wanted: str, expected: int) -> None:
    assert cores({"OMP_NUM_THREADS": wanted}) == expected


@pytest.mark.parametrize("available", [1, 2, 3, 64])
def test_what_runs_at_a_pause_fits(monkeypatch: pytest.MonkeyPatch, available: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(available))
    assert engine_threads("stt") + engine_threads("vad") <= max(2, available)
    assert engine_threads("tts") < max(2, available)
    for stage in ("vad", "stt", "llm", "tts", "s2s"):
        assert 1 <= engine_threads(stage) <= available


def test_variables_of_the_user_are_kept() -> None:
    environment = {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "ACTIVE"}
    apply_thread_limits(environment)
    assert environment["OMP_NUM_THREADS"] == "7"
    assert environment["OMP_WAIT_POLICY"] == "ACTIVE"
    assert environment["KMP_BLOCKTIME"] == "0"


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_numpy_computes_on_one_thread() -> None:
    """In a process that starts as the program does."""
    code = (
        "from utils.threads import apply_thread_limits; apply_thread_limits()\n"
        "import os, numpy; a = numpy.ones((900, 900)); a @ a\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    environment = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True, env=environment)
    assert printed == "1\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity")
def test_the_cores_of_this_process() -> None:
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
    code += "from utils.threads import cores; print(cores())"
    environment = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True, env=environment)
    assert printed == "1\n"
