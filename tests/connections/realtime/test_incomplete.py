"""Answers that a model server cuts off, as a client of the real program sees them."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from testing.chat_server import ChatServer, chunk, events
from tests.command import command
from tests.realtime_client import RealtimeClient

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture(scope="module")
def model() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture(scope="module")
def port(model: ChatServer) -> Iterator[int]:
    engines = ["--llm", "openai", "--llm_base_url", model.base_url, "--tts", "espeak"]
    server = subprocess.Popen(
        command("--mode", "websocket", "--port", "0", *engines),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    with server.stderr as told:
        line = next(line for line in told if "http://localhost:" in line)
        yield int(re.findall(r"localhost:(\d+)", line)[0])
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130


@pytest.fixture
def client(port: int) -> Iterator[RealtimeClient]:
    with RealtimeClient(port) as client:
        client.until("session.created")
        yield client


def ask(client: RealtimeClient, **response: Any) -> Any:
    client.note("Hello.")
    client.send("response.create", response=response)
    return client.until("response.done").response


@pytest.mark.parametrize(
    ("finish_reason", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
@pytest.mark.parametrize("modality", ["audio", "text"])
def test_the_words_are_heard_and_the_response_is_incomplete(
    client: RealtimeClient, model: ChatServer, finish_reason: str, reason: str, modality: str
) -> None:
    model.bodies = [events(chunk({"content": "Fine. And y"}), chunk({}, finish_reason))]
    response = ask(client, output_modalities=[modality])
    assert (response.status, response.status_details.reason) == ("incomplete", reason)
    assert response.status_details.type == "incomplete"
    (message,) = response.output
    assert message.status == "incomplete"
    assert (message.content[0].transcript or message.content[0].text) == "Fine. And y"
    assert ask(client, output_modalities=["text"]).status == "completed"
    assert model.requests[-1]["messages"][-2]["content"] == "Fine. And y"


@pytest.mark.parametrize("delta", [{"reasoning_content": "Hm"}, {"content": "<think>Hm"}, {}])
@pytest.mark.parametrize("modality", ["audio", "text"])
def test_a_response_that_is_cut_off_before_the_first_word_has_failed(
    client: RealtimeClient, model: ChatServer, delta: dict[str, str], modality: str
) -> None:
    model.bodies = [events(chunk(delta), chunk({}, "length"))]
    response = ask(client, output_modalities=[modality])
    assert (response.status, response.status_details.error.code) == ("failed", "nothing_heard")
    assert ask(client, output_modalities=["text"]).status == "completed"


def test_a_call_that_is_cut_off_is_incomplete(client: RealtimeClient, model: ChatServer) -> None:
    client.configure(tools=[WEATHER], output_modalities=["text"])
    function = {"name": "weather", "arguments": '{"city": "Lon'}
    call = {"index": 0, "id": "call_1", "function": function}
    model.bodies = [events(chunk({"tool_calls": [call]}), chunk({}, "length"))]
    response = ask(client)
    assert (response.status, response.output[0].status) == ("incomplete", "incomplete")
    assert not client.of("response.function_call_arguments.done")
    assert ask(client).status == "completed"
    assert "tool_calls" not in json.dumps(model.requests[-1]["messages"])


def test_half_a_character_costs_no_connection(client: RealtimeClient, model: ChatServer) -> None:
    client.configure(tools=[WEATHER], output_modalities=["text"])
    function = {"name": "weather", "arguments": '{"city": "\\ud83d"}'}
    call = {"index": 0, "id": "call_1", "function": function}
    model.bodies = [
        events(chunk({"content": "Nice \ud83d"}), chunk({"content": "\ude00 \ud83d day."})),
        events(chunk({"tool_calls": [call]})),
    ]
    assert ask(client).output[0].content[0].text == "Nice 😀 \ufffd day."
    assert json.loads(ask(client).output[0].arguments) == {"city": "\ufffd"}
    assert ask(client).status == "completed"
