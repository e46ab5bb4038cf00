"""Setup shared by all tests."""

from collections.abc import Iterator

import pytest

from testing.server import ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running
