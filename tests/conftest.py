"""What all tests share."""

from collections.abc import Iterator

import pytest

from testing.server import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running
