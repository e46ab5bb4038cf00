"""Fixtures of the tests of the Realtime protocol: the server over scripted engines, a client."""

from collections.abc import Iterator

import pytest

from testing.server import ScriptedWebServer
from tests.realtime_client import RealtimeClient


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedWebServer) -> Iterator[RealtimeClient]:
    with RealtimeClient(server.port) as client:
        client.until("session.created")
        yield client
