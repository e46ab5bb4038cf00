"""The OpenAI Realtime protocol: half characters, half samples, and events that cannot be sent."""

import asyncio
import base64
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from connections.realtime.base_client import MAX_WAITING, BaseClient
from connections.web.websocket_connection import WebSocketConnection
from pipeline.audio import to_pcm16
from pipeline.events import ErrorEvent, Event, ReplyText, ToolCalled, ToolCallGrew
from pipeline.words import NO_CHARACTER
from testing.server import ScriptedWebServer
from tests.connections.realtime.test_mistakes import still_answers
from tests.connections.realtime.test_races import fence
from tests.realtime_client import RATE_HZ, RealtimeClient
from tests.socket_clients import wait_for
from tests.speaking import speaking

HALF = "\ud83d"
G711 = {"format": {"type": "audio/pcmu"}}
SECRET = "the user's words"


def message(text: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content, **more}


def tool(**fields: Any) -> dict[str, Any]:
    tool = {"type": "function", "name": "look", "description": "Look.", "parameters": {}, **fields}
    return {"type": "realtime", "tools": [tool]}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("conversation.item.create", {"item": message(f"Hello {HALF}.")}),
        ("conversation.item.create", {"item": message("Hello.", id=f"item_{HALF}")}),
        (
            "conversation.item.create",
            {"item": {"type": "function_call", "call_id": f"c{HALF}", "name": "n", "arguments": HALF}},
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": f"c{HALF}", "output": HALF}},
        ),
        ("session.update", {"session": {"type": "realtime", "instructions": f"Be {HALF} brief."}}),
        ("session.update", {"session": tool(description=HALF)}),
        ("session.update", {"session": tool(parameters={"properties": {HALF: {"title": HALF}}})}),
        ("response.create", {"response": {"instructions": f"Be {HALF} brief."}}),
        ("response.create", {"response": {"metadata": {f"key{HALF}": f"value{HALF}"}}}),
        ("response.create", {"response": {"input": [message(HALF)], "conversation": "none"}}),
    ],
)
def test_half_a_character_is_replaced(
    server: ScriptedWebServer, client: RealtimeClient, kind: str, fields: dict[str, Any]
) -> None:
    client.connection.send_raw(json.dumps({"type": kind, "event_id": f"event {HALF}", **fields}))
    if kind == "response.create":
        client.until("response.done")
    still_answers(client)
    assert client.of("error") == []
    told = "".join(event.model_dump_json() for event in client.events)
    asked = repr((server.llm.prompts, server.llm.tools))
    assert NO_CHARACTER in told + asked
    assert "\\ud83d" not in told + asked


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        (r'{"type": "dream", "event_id": "mine \ud83d"}', "unknown_event", f"mine {NO_CHARACTER}"),
        (r'{"type": "\ud83d", "event_id": "mine"}', "unknown_event", "mine"),
        (
            r'{"type": "conversation.item.delete", "item_id": "\ud83d"}',
            "item_delete_invalid_item_id",
            None,
        ),
        (r'{"type": "response.cancel", "response_id": "\ud83d"}', "response_cancel_not_active", None),
    ],
)
def test_half_a_character_in_a_mistake(
    client: RealtimeClient, text: str, code: str, told: str | None
) -> None:
    client.connection.send_raw(text)
    error = client.until("error").error
    assert (error.code, error.event_id) == (code, told)
    still_answers(client)


UNSENDABLE: list[Any] = [
    ToolCallGrew(1, "call_1", "look", {"at": SECRET}),  # type: ignore[arg-type]
    ToolCalled(1, "call_1", "look", {"at": SECRET}),  # type: ignore[arg-type]
    ToolCalled(1, "call_1", None, "{}"),  # type: ignore[arg-type]
    ToolCalled(1, ["call_1"], "look", "{}"),  # type: ignore[arg-type]
    ReplyText(1, [SECRET]),  # type: ignore[arg-type]
    ErrorEvent("llm", "strange", [SECRET], None),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("event", UNSENDABLE, ids=lambda event: type(event).__name__)
def test_an_event_that_cannot_be_built_costs_that_event(
    server: ScriptedWebServer, client: RealtimeClient, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    server.llm.hold.close()
    client.note("Go.")
    client.send("response.create")
    client.until("response.created")
    server.sessions[0].events.emit(event)
    error = client.until("error").error
    assert (error.type, error.code) == ("server_error", "internal_error")
    fence(client)
    server.llm.hold.open()
    client.receive_until(lambda event: event.type == "response.done")
    assert client.events[-1].response.status == "completed"
    still_answers(client)
    told = "".join(repr(event) for event in client.events) + caplog.text
    assert "failed: " in caplog.text
    assert SECRET not in told


def test_a_client_that_speaks_and_does_not_read_holds_its_own_reply_up(
    server: ScriptedWebServer, client: RealtimeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stall(*_: object) -> None:
        await asyncio.Event().wait()

    server.llm._replies = ["One sentence that takes a while to say. " * 40]
    client.send("response.create")
    client.until("response.output_audio.delta")
    monkeypatch.setattr(WebSocketConnection, "_pass_on", stall)
    (box,) = (box for box in server.sessions[0].events._boxes if isinstance(box, BaseClient))
    with speaking(lambda: client.say(20, 0.0)):
        wait_for(lambda: not box.takes_more, "a reply that waits")
        time.sleep(1)  # in which 50 more frames are due
    assert not box.takes_more
    assert len(box._messages) + len(box._outbox.take()) < 1.5 * MAX_WAITING


class TestHalfSamples:
    @pytest.mark.parametrize("sizes", [(1,), (959, 961), (3, 7, 481), (960, 1)])
    def test_audio_may_be_cut_anywhere(
        self, server: ScriptedWebServer, client: RealtimeClient, sizes: Sequence[int]
    ) -> None:
        wave = np.sin(2 * np.pi * 200 * np.arange(RATE_HZ // 2) / RATE_HZ) * 0.5
        pcm = to_pcm16(wave.astype(np.float32)) + bytes(2 * RATE_HZ // 2)
        if max(sizes) == 1:  # every byte in an event of its own: a few are enough
            sizes = (1,) * 100 + (9999,)
        client.configure(audio={"input": {"turn_detection": None}})
        at = number = 0
        while at < len(pcm):
            size = sizes[number % len(sizes)]
            client.connection.input_audio_buffer.append(audio=encoded(pcm[at : at + size]))
            at, number = at + size, number + 1
        client.send("input_audio_buffer.commit")
        client.until("conversation.item.input_audio_transcription.completed")
        assert client.of("error") == []
        heard = server.stt.heard[0]
        assert np.abs(heard[2000:6000]).max() == pytest.approx(0.5, abs=0.02), "else it is noise"
        assert np.abs(np.diff(heard[2000:6000])).max() < 0.05

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("input_audio_buffer.clear", {}),
            ("input_audio_buffer.commit", {}),
            ("session.update", {"session": {"type": "realtime", "audio": {"input": G711}}}),
        ],
        ids=["clear", "commit", "format"],
    )
    def test_half_a_sample_is_dropped(
        self, server: ScriptedWebServer, client: RealtimeClient, kind: str, fields: dict[str, Any]
    ) -> None:
        client.configure(audio={"input": {"turn_detection": None}})
        client.connection.input_audio_buffer.append(audio=encoded(b"\x40\x40\x40"))
        client.send(kind, **fields)
        if kind == "session.update":
            client.configure(audio={"input": {"format": {"type": "audio/pcm", "rate": 24000}}})
        client.say(400)
        client.say(400, 0.0)
        client.send("input_audio_buffer.commit")
        client.until("conversation.item.input_audio_transcription.completed")
        assert np.abs(server.stt.heard[0]).max() == pytest.approx(0.5, abs=0.05), "else it is noise"
        assert np.abs(server.stt.heard[0][-800:]).max() < 0.01, "silence, and no noise"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("detection", "param", "says"),
    [
        ({"type": "semantic_vad", "eagerness": "wild"}, "eagerness", "low"),
        ({"type": "server_vad", "threshold": "loud"}, "threshold", "number"),
        ({"type": "server_vad", "threshold": float("nan")}, "threshold", "nan"),
        ({"type": "server_vad", "threshold": 2}, "threshold", "0 to 1"),
        ({"type": "server_vad", "silence_duration_ms": -1}, "silence_duration_ms", "10000"),
        ({"type": "server_vad", "prefix_padding_ms": 1.5}, "prefix_padding_ms", "a whole number"),
        ({"type": "dream"}, "type", "server_vad"),
        ({}, "type", "expected a value, got none"),
    ],
)
def test_a_mistake_in_the_turn_detection_is_named(
    client: RealtimeClient, detection: dict[str, Any], param: str, says: str
) -> None:
    session = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    client.connection.send_raw(json.dumps({"type": "session.update", "session": session}))
    error = client.until("error").error
    assert error.param == f"session.audio.input.turn_detection.{param}"
    assert says in error.message
    still_answers(client)
