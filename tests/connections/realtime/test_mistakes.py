"""The OpenAI Realtime protocol: malformed events, unsupported fields, failures."""

import base64
import contextlib
import json
import socket
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pipeline.audio import to_pcm16
from testing.server import ScriptedWebServer
from tests.connections.web.test_websocket_clients import get
from tests.realtime_client import RealtimeClient
from tests.socket_clients import wait_for

TRUNCATE = """{"type": "conversation.item.truncate", "item_id": "%s",
    "content_index": 0, "audio_end_ms": 1}"""
SEARCH = {"type": "mcp", "server_label": "search", "server_url": "https://example.org/"}


def still_answers(client: RealtimeClient) -> None:
    client.note("Still there?")
    client.send("response.create")
    assert client.until("response.done").response.status == "completed"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"item_id": 5}, "item_id: expected a text, got a number"),
        ({}, "item_id: expected a value, got none"),
    ],
)
def test_a_mistake_is_told_in_our_words(
    client: RealtimeClient, fields: dict[str, Any], sentence: str
) -> None:
    client.connection.send_raw(json.dumps({"type": "conversation.item.delete", **fields}))
    assert client.until("error").error.message == sentence


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_json"),
        ("[1]", "invalid_event"),
        ("{}", "unknown_event"),
        ('{"type": 7}', "unknown_event"),
        ('{"type": "response.guess"}', "unknown_event"),
        ('{"type": "input_audio_buffer.append"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append", "audio": "%%%"}', "invalid_audio"),
        ('{"type": "conversation.item.create", "item": {"type": "dream"}}', "invalid_value"),
        ('{"type": "conversation.item.delete", "item_id": "item_none"}', "item_delete_invalid_item_id"),
        (TRUNCATE % "x", "item_truncate_invalid_item_id"),
        (TRUNCATE % "item_heard_", "item_truncate_invalid_item_id"),
        (TRUNCATE % "item_heard_99", "item_truncate_invalid_item_id"),
        (TRUNCATE % ("item_heard_" + 5000 * "9"), "item_truncate_invalid_item_id"),
        (TRUNCATE.replace(": 1}", ": -1}") % "item_heard_1", "invalid_value"),
        ('{"type": "response.create", "response": {"conversation": "some"}}', "invalid_value"),
        ('{"type": "input_audio_buffer.commit"}', "input_audio_buffer_commit_empty"),
        ('{"type": "output_audio_buffer.clear"}', "unsupported"),
        ('{"type": "session.update", "session": {"type": "transcription"}}', "invalid_value"),
        ('{"type": "session.update", "session": "new"}', "invalid_value"),
    ],
)
def test_what_makes_no_sense_is_told_and_the_session_goes_on(
    client: RealtimeClient, message: str, code: str
) -> None:
    client.connection.send_raw(message)
    error = client.until("error").error
    assert (error.type, error.code) == ("invalid_request_error", code)
    assert len(error.message) < 400
    still_answers(client)


def test_a_text_that_is_too_long_is_told(client: RealtimeClient) -> None:
    client.send("session.update", session={"type": "realtime", "instructions": "x" * 300_000})
    assert client.until("error").error.code == "too_long"
    still_answers(client)


def test_who_asks_and_does_not_read_is_sent_away(server: ScriptedWebServer) -> None:
    instructions = {"type": "realtime", "instructions": "x" * 200_000}
    url = f"ws://127.0.0.1:{server.port}/v1/realtime"
    with connect(url, max_queue=1, close_timeout=1, open_timeout=60) as deaf:
        wait_for(lambda: bool(server.sessions), "the session")
        deaf.send(json.dumps({"type": "session.update", "session": instructions}))
        with contextlib.suppress(ConnectionClosed):
            for _ in range(300):
                deaf.send('{"type": "session.update", "session": {"type": "realtime"}}')
        wait_for(lambda: server.sessions[0].state.value == "closed", "the end of the session")
        with contextlib.suppress(OSError):  # or it waits to be read
            deaf.socket.shutdown(socket.SHUT_RDWR)


def test_binary_data_is_told(client: RealtimeClient) -> None:
    client.connection.send_raw(b"\0\0")
    assert client.until("error").error.code == "invalid_event"
    still_answers(client)


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"max_output_tokens": 100}, "session.max_output_tokens"),
        ({"temperature": 0.7}, "session.temperature"),
        ({"audio": {"output": {"speed": 1.5}}}, "session.audio.output.speed"),
        ({"audio": {"output": {"voice": "nobody"}}}, "session.audio.output.voice"),
        ({"audio": {"output": {"voice": {"id": "voice_1"}}}}, "session.audio.output.voice"),
        ({"output_modalities": ["text", "audio"]}, "session.output_modalities"),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}},
            "turn_detection.threshold",
        ),
        ({"tools": [SEARCH]}, "session.tools[0].server_label"),
        ({"tool_choice": {"type": "function", "name": "nobody"}}, "session.tool_choice"),
    ],
)
def test_what_is_not_supported_is_named_and_the_rest_is_done(
    client: RealtimeClient, session: dict[str, Any], param: str
) -> None:
    wanted = {"type": "realtime", "instructions": "Be brief.", **session}
    client.send("session.update", session=wanted, event_id="mine")
    error = client.until("error").error
    assert str(error.param).endswith(param)
    assert error.event_id == "mine"
    assert client.until("session.updated").session.instructions == "Be brief."
    still_answers(client)


def test_what_does_no_harm_is_not_refused(client: RealtimeClient) -> None:
    client.configure(
        max_output_tokens="inf",
        truncation="auto",
        tracing=None,
        model="gpt-realtime",
        audio={"output": {"speed": 1.0, "voice": None}, "input": {"noise_reduction": None}},
    )
    assert not client.of("error")


@pytest.mark.parametrize(
    "session",
    [
        {"tracing": "auto"},
        {"audio": {"input": {"noise_reduction": {"type": "near_field"}}}},
        {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}},
        {"audio": {"output": {"voice": "marin", "speed": 1.0}}, "output_modalities": None},
    ],
)
def test_what_clients_wish_unasked_is_no_error_and_shown_as_it_is(
    client: RealtimeClient, session: dict[str, Any]
) -> None:
    before = client.events[0].session
    shown = client.configure(instructions="Be brief.", **session)
    assert not client.of("error")
    assert (shown.tracing, shown.truncation) == (None, "auto")
    assert shown.audio.input.noise_reduction is None
    detection = shown.audio.input.turn_detection
    silence_ms = 2000 if "turn_detection" in str(session) else 192
    assert (detection.type, detection.silence_duration_ms) == ("server_vad", silence_ms)
    assert shown.audio.output == before.audio.output
    assert shown.output_modalities == ["audio"]


def test_numbers_of_the_turn_detection_are_heeded_and_shown(client: RealtimeClient) -> None:
    wanted = {"type": "server_vad", "threshold": 0.6, "prefix_padding_ms": 300}
    session = client.configure(audio={"input": {"turn_detection": wanted}})
    shown = session.audio.input.turn_detection
    assert (shown.threshold, shown.prefix_padding_ms, shown.silence_duration_ms) == (0.6, 300, 192)


@pytest.mark.parametrize("format", ["audio/pcmu", "audio/pcma"])
def test_g711_both_ways(server: ScriptedWebServer, client: RealtimeClient, format: str) -> None:
    kind = {"format": {"type": format}}
    session = client.configure(audio={"input": kind, "output": kind})
    assert session.audio.output.format.type == format
    loud = base64.b64encode((b"\x00" * 8 + b"\x80" * 8) * 10).decode()
    quiet = base64.b64encode((b"\xff" if format == "audio/pcmu" else b"\xd5") * 160).decode()
    for packet in [loud] * 20 + [quiet] * 30:
        client.connection.input_audio_buffer.append(audio=packet)
    assert client.until("response.done").response.status == "completed"
    data = b"".join(base64.b64decode(event.delta) for event in client.of("response.output_audio.delta"))
    assert len(data) / 8000 == pytest.approx(0.3, abs=0.05)


def test_the_format_of_the_output_stays_once_something_was_said(client: RealtimeClient) -> None:
    client.ask()
    client.until("response.done")
    client.configure(audio={"output": {"format": {"type": "audio/pcmu"}}})
    assert client.of("error")[0].error.param == "session.audio.output.format"


def test_who_says_nothing_is_spoken_to(client: RealtimeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.realtime.session_config.MIN_IDLE_MS", 1)
    detection = {"type": "server_vad", "idle_timeout_ms": 50}
    client.configure(audio={"input": {"turn_detection": detection}})
    client.until("input_audio_buffer.timeout_triggered")
    assert client.until("response.done").response.status == "completed"


def test_a_partial_transcript_comes_in_deltas_that_make_up_the_whole(client: RealtimeClient) -> None:
    client.configure(audio={"input": {"transcription": {"model": "any"}}})
    client.ask()
    whole = client.until("conversation.item.input_audio_transcription.completed")
    deltas = client.of("conversation.item.input_audio_transcription.delta")
    assert "".join(event.delta for event in deltas) == whole.transcript == "words"
    client.until("response.done")


def test_without_transcription_nobody_is_told(client: RealtimeClient) -> None:
    client.configure(audio={"input": {"transcription": None}})
    client.ask()
    client.until("response.done")
    assert not any("transcription" in kind for kind in client.kinds())


def test_who_does_not_read_holds_nobody_up(server: ScriptedWebServer) -> None:
    server.llm._replies = ["One sentence that takes a while to say. " * 200, "Short."]
    with connect(f"ws://127.0.0.1:{server.port}/v1/realtime", max_queue=1, open_timeout=60) as deaf:
        deaf.send(json.dumps({"type": "response.create"}))
        wait_for(lambda: bool(server.llm.prompts), "the deaf one's question")
        with RealtimeClient(server.port) as client:
            client.until("session.created")
            still_answers(client)
        deaf.socket.shutdown(socket.SHUT_RDWR)


def test_a_server_that_is_full_says_so() -> None:
    with ScriptedWebServer(max_sessions=1) as server, RealtimeClient(server.port) as first:
        first.until("session.created")
        with connect(f"ws://127.0.0.1:{server.port}/v1/realtime", open_timeout=60) as second:
            error = json.loads(second.recv(60))
            status, _, _ = get(server.port, "/ready")
            assert status == 503, "no more people should be sent here"
            assert (error["type"], error["error"]["code"]) == ("error", "full")
            with pytest.raises(Exception, match="1013"):
                second.recv(60)


def test_who_drops_can_come_again_at_once(server: ScriptedWebServer) -> None:
    server.tts.hold.close()
    with RealtimeClient(server.port) as first:
        first.ask()
        first.until("response.created")
    wait_for(lambda: server.sessions[0].state.value != "open", "the end of the first session")
    server.tts.hold.open()
    with RealtimeClient(server.port) as second:
        second.until("session.created")
        still_answers(second)


def test_five_hundred_events_at_once(client: RealtimeClient) -> None:
    audio = base64.b64encode(to_pcm16(np.zeros(480, np.float32))).decode()
    for number in range(500):
        client.connection.input_audio_buffer.append(audio=audio)
        if number % 100 == 0:
            client.send("response.cancel")
    for _ in range(5):
        assert client.until("error").error.code == "response_cancel_not_active"
    still_answers(client)
