"""Our own clients over TCP, from bare sockets: hello, frames, refusals."""

import json
import select
import socket
from typing import Any

import numpy as np
import pytest

from LLM.chat import CUT_MARK
from pipeline.audio import to_pcm16
from pipeline.session import SHUT_DOWN, SessionState
from testing.server import ScriptedServer
from tests.socket_clients import (
    AUDIO,
    CONTROL,
    EVENT,
    LOUD,
    PATIENCE_S,
    PLAYED,
    QUIET,
    frame,
    hello,
    in_background,
    wait_for,
)
from tests.socket_helpers import framed, is_answered, raw


class TestFramed:
    def test_a_conversation(self, server: ScriptedServer) -> None:
        with framed(server).welcomed() as client:
            client.ask()
            assert client.until(EVENT, "Transcript")[2]["text"] == "words"
            turn, sample, audio = client.until(AUDIO)
            assert (turn, sample, len(audio)) == (1, 0, 640)
            assert client.until(AUDIO)[1] == 320
            done = client.until(EVENT, "TurnDone")[2]
            assert done["heard"] == "One sentence. Another sentence."
            assert done["latency"]["total_ms"] > 0

    def test_when_the_server_stops_the_client_is_told(self, server: ScriptedServer) -> None:
        with framed(server).welcomed() as client:
            server.stop()
            assert client.until(EVENT, "SessionEnded")[2]["reason"] == SHUT_DOWN

    def test_its_own_rates(self, server: ScriptedServer) -> None:
        with framed(server, send_rate=48000, recv_rate=24000).welcomed() as client:
            loud = to_pcm16(np.full(48000 // 3, 0.5, np.float32))
            client.send(frame(AUDIO, loud) + frame(AUDIO, bytes(48000)))
            assert len(client.until(AUDIO)[2]) == 960
            heard = server.stt.heard[0]
            assert np.median(np.abs(heard)) > 0.3

    def test_an_interruption_is_flushed_ahead_and_remembers_what_was_played(
        self, server: ScriptedServer
    ) -> None:
        server.llm._replies = ["One two three four five six seven eight nine ten."]
        with framed(server).welcomed() as client:
            client.ask()
            for _ in range(8):
                turn, sample, _ = client.until(AUDIO)
            client.send(frame(PLAYED, turn=turn, sample=1600))
            client.send(frame(CONTROL, json.dumps({"type": "interrupt"}).encode()))
            flushed_turn, flushed_sample, _ = client.until(CONTROL, "flush")
            assert flushed_turn == turn
            assert flushed_sample <= sample + 320
            assert client.until(EVENT, "TurnDone")[2]["state"] == "interrupted"
            client.send(frame(PLAYED, turn=turn, sample=1120))
            wait_for(
                lambda: server.chats[0].prompt("")[-1].content == f"One two{CUT_MARK}", "the correction"
            )

    def test_in_full_duplex_speech_over_the_reply_ducks_it_then_stops_it(
        self, server: ScriptedServer
    ) -> None:
        server.llm._replies = ["One two three four five six seven eight nine ten. " * 4, "Yes."]
        with framed(server, full_duplex=True).welcomed() as client:
            client.ask()
            client.until(AUDIO)
            speaking = in_background(lambda: client.send_live(LOUD, 40))
            assert client.until(CONTROL, "duck")[2]["gain"] < 1
            assert client.until(CONTROL, "flush")[0] == 1
            assert client.until(EVENT, "Interrupted")[2]["turn"] == 1
            speaking.join(PATIENCE_S)
            client.send(frame(AUDIO, QUIET * 10))
            assert client.until(EVENT, "ReplyStarted")[2]["turn"] == 2

    def test_when_the_server_stops_the_client_gets_its_last_events(self, server: ScriptedServer) -> None:
        server.llm._replies = ["One sentence that takes a while to say. " * 20]
        with framed(server).welcomed() as client:
            client.ask()
            client.until(AUDIO)
            server.stop()
            assert client.until(EVENT, "TurnDone")[2]["state"] == "interrupted"
            assert client.until(EVENT, "SessionEnded")[2]["reason"] == "the server was shut down"
            assert client.next_frame()[0] == 0, "and nothing after it"

    def test_an_error_of_a_stage_reaches_the_client_and_the_next_turn_works(
        self, server: ScriptedServer
    ) -> None:
        server.stt.error = ValueError("secret words")
        with framed(server).welcomed() as client:
            client.ask()
            error = client.until(EVENT, "ErrorEvent")[2]
            assert (error["stage"], error["code"]) == ("stt", "internal_error")
            assert "secret" not in error["text"]
            server.stt.error = None
            client.ask()
            client.until(AUDIO)

    @pytest.mark.parametrize(
        ("message", "code"),
        [
            (frame(AUDIO, b"123"), "half_sample"),
            (frame(9), "bad_message"),
            (frame(EVENT, b"{}"), "bad_message"),
            (frame(CONTROL, b"not json"), "bad_message"),
            (frame(CONTROL, b"[]"), "bad_message"),
            (frame(CONTROL, b"[" * 60_000), "bad_message"),
            (frame(CONTROL, b"9" * 5000), "bad_message"),
            (frame(CONTROL, b'{"type": "sing"}'), "bad_message"),
            (b"\x01\x00\x00\x00\xff\xff\xff\xff" + bytes(12), "too_big"),
            (b"\xff" * 40, "bad_message"),
        ],
    )
    def test_a_message_that_is_none_is_refused_with_a_reason(
        self, server: ScriptedServer, message: bytes, code: str
    ) -> None:
        with framed(server).welcomed() as client:
            client.send(message)
            assert client.until(CONTROL, "refused")[2]["code"] == code
            wait_for(lambda: server.sessions[0].state is SessionState.CLOSED, "its end")
        with framed(server).welcomed() as another:
            another.ask()
            another.until(AUDIO)

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"send_rate": 1}, "expected send_rate from 8000 to 48000, got 1"),
            ({"recv_rate": "fast"}, "expected recv_rate to be int"),
            ({"recv_rate": True}, "expected recv_rate to be int"),
            ({"buffer_ms": -5}, "expected buffer_ms from 0 to 2000"),
            ({"token": 987654}, "expected token to be str"),
        ],
    )
    def test_a_hello_that_is_wrong(
        self, server: ScriptedServer, fields: dict[str, Any], text: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with framed(server, **fields) as client:
            assert client.loudspeaker.recv(1) == b""
            assert text in caplog.text
            assert "987654" not in caplog.text

    def test_a_hello_that_comes_too_late(
        self, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        with raw(server) as client:
            wait_for(lambda: len(server.sessions) == 1, "a session")
            client.microphone.sendall(hello("late"))
            assert client.receive(1) == b""
            assert "expected the hello sooner" in caplog.text

    def test_other_versions_and_endless_hellos(
        self, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        import struct

        from tests.socket_clients import MAGIC

        for version, length, text in ((2, 10, "expected version 1"), (1, 10**6, "at most 4096 bytes")):
            client = socket.create_connection(("127.0.0.1", server.microphone_port))
            client.settimeout(PATIENCE_S)
            client.sendall(struct.pack("<8sHI", MAGIC, version, length))
            assert client.recv(1) == b""
            assert text in caplog.text
            client.close()

    def test_a_hello_in_pieces(self, server: ScriptedServer) -> None:
        with raw(server) as client:
            for byte in hello("slow"):
                client.microphone.sendall(bytes([byte]))
                client.loudspeaker.sendall(bytes([byte]))
            wait_for(lambda: len(server.sessions) == 1, "a session")

    def test_the_same_session_twice(self, server: ScriptedServer) -> None:
        first = socket.create_connection(("127.0.0.1", server.microphone_port))
        second = socket.create_connection(("127.0.0.1", server.microphone_port))
        first.sendall(hello("same"))
        second.sendall(hello("same"))
        (refused,), _, _ = select.select((first, second), (), (), PATIENCE_S)
        assert refused.recv(1) == b""
        first.close()
        second.close()

    def test_raw_and_framed_clients_side_by_side(self, server: ScriptedServer) -> None:
        with raw(server) as one, framed(server).welcomed() as two:
            two.ask()
            assert is_answered(one)
            two.until(AUDIO)
