"""The WebSocket: half characters, half samples, and events that cannot be sent."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from pipeline.audio import to_pcm16
from pipeline.events import ToolCalled
from pipeline.words import NO_CHARACTER
from testing.server import ScriptedWebServer
from tests.web_client import RATE_HZ, WebClient


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r'{"type": "respond", "text": "Hello \ud83d."}', "TurnDone"),
        (r'{"type": "respond", "text": "\ude00"}', "TurnDone"),
        (r'{"type": "settings", "instructions": "Be \ud83d brief."}', None),
        (r'{"type": "settings", "voice": "\ud83d"}', "error"),
        (r'{"type": "settings", "\ud83d": 1}', "error"),
        (r'{"type": "\ud83d"}', "error"),
    ],
)
def test_half_a_character_is_replaced(server: ScriptedWebServer, text: str, answer: str | None) -> None:
    with WebClient(server.port) as client:
        key = client.key
        client.socket.send(text)
        if answer is not None:
            client.until(answer)
        client.drop()
        with WebClient(server.port, f"?key={key}") as again:
            again.send("respond", text="next")
            assert again.until("TurnDone")["heard"] == "One sentence. Another sentence."
    asked = [message.content for prompt in server.llm.prompts for message in prompt]
    assert "\n".join(asked).encode()
    assert any(NO_CHARACTER in content for content in asked) == (answer != "error")


@pytest.mark.parametrize("sizes", [(959, 961), (3, 7, 481), (4801,)])
def test_audio_may_be_cut_anywhere(server: ScriptedWebServer, sizes: Sequence[int]) -> None:
    wave = np.sin(2 * np.pi * 200 * np.arange(RATE_HZ // 2) / RATE_HZ) * 0.5
    pcm = to_pcm16(wave.astype(np.float32)) + bytes(RATE_HZ)
    with WebClient(server.port) as client:
        at = number = 0
        while at < len(pcm):
            size = sizes[number % len(sizes)]
            client.socket.send(pcm[at : at + size])
            at, number = at + size, number + 1
        client.until("ReplyStarted")
    heard = server.stt.heard[0]
    assert np.abs(np.diff(heard)).max() < 0.1, "else it is noise"


def test_half_a_sample_is_dropped_with_the_connection(server: ScriptedWebServer) -> None:
    with WebClient(server.port) as client:
        key = client.key
        client.socket.send(b"\x40\x40\x40")
        client.send("sing")
        client.until("error")
        client.drop()
        with WebClient(server.port, f"?key={key}") as again:
            again.until("welcome")
            again.ask()
    assert np.abs(server.stt.heard[0]).max() == pytest.approx(0.5, abs=0.05), "else it is noise"


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, {(1, 2): 3}])
def test_an_event_that_cannot_be_encoded_costs_that_event(server: ScriptedWebServer, value: Any) -> None:
    with WebClient(server.port) as client:
        client.until("welcome")
        server.sessions[0].events.emit(ToolCalled(1, "call_1", "look", value))
        error = client.until("ErrorEvent")
        assert error["code"] == "internal_error"
        assert "ToolCalled" in error["text"]
        client.send("respond", text="next")
        assert client.until("TurnDone")["state"] == "done"
        assert "bytes" not in json.dumps(client.messages)
