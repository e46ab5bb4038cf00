"""Fixtures of the tests of `--s2s realtime`: a scripted server, and a session in front of it."""

from collections.abc import Iterator

import pytest

from testing.realtime_server import ScriptedConnection, ScriptedRealtimeServer
from tests.S2S.realtime.talk import Talk


@pytest.fixture
def server() -> Iterator[ScriptedRealtimeServer]:
    with ScriptedRealtimeServer() as server:
        yield server


@pytest.fixture
def talk(server: ScriptedRealtimeServer) -> Iterator[Talk]:
    with Talk(server.url) as talk:
        yield talk


@pytest.fixture
def there(server: ScriptedRealtimeServer, talk: Talk) -> ScriptedConnection:
    """The server's end of the session's connection."""
    return server.accept()
