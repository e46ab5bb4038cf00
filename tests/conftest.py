"""Setup shared by all tests."""

import os
from collections.abc import Iterator

import pytest

from testing.server import ScriptedServer
from utils.threads import apply_thread_limits, cores

MOST_PROCESSES = 8
"""Each takes up to 1.2 GB for its models; more than eight would wait for the longest files."""

# Processes that share the tests share the cores, too.
if processes := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ["OMP_NUM_THREADS"] = str(min(cores(), max(2, cores() // int(processes))))
# As the program does, before engines are imported. Spinning threads of llama.cpp cost the most: on two
# busy cores, an answer of 24 tokens took 5 s (median of five), and 1 s when they slept.
apply_thread_limits()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Number of processes for ``-n auto``: one for each core, within the quota of a container. Two for
    one core, since tests mostly wait."""
    return min(MOST_PROCESSES, max(2, cores()))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running
