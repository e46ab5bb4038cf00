"""The OpenAI Realtime protocol: what clients out there do, each in its own way."""

from collections.abc import Iterator

import pytest

from testing.server import ScriptedWebServer
from tests.realtime_client import RealtimeClient
from tests.test_realtime import WEATHER


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedWebServer) -> Iterator[RealtimeClient]:
    with RealtimeClient(server.port) as client:
        client.until("session.created")
        yield client


def test_what_a_response_leaves_null_is_as_in_the_session(
    server: ScriptedWebServer, client: RealtimeClient
) -> None:
    client.configure(instructions="Be a pirate.", tools=[WEATHER])
    client.note("Hello.")
    wishes = ("instructions", "tools", "tool_choice", "output_modalities")
    client.send("response.create", response=dict.fromkeys(wishes))
    assert client.until("response.done").response.status == "completed"
    assert server.llm.prompts[0][0].content == "Be a pirate."
    assert [tool.name for tool in server.llm.tools[0][0]] == ["weather"]
