"""Setup shared by all tests."""

from collections.abc import Iterator

import pytest

from testing.server import ScriptedServer
from utils.threads import apply_thread_limits

# As the program does, before engines are imported. Spinning threads of llama.cpp cost the most: on two
# busy cores, an answer of 24 tokens took 5 s (median of five), and 1 s when they slept.
apply_thread_limits()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running
