"""`--s2s realtime`: servers that do not exist, refuse, send nonsense, die, and come back."""

import random
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import serve

from pipeline.errors import UserError
from pipeline.events import (
    ErrorEvent,
    ReplyStarted,
    SpeechEnded,
    SpeechStarted,
    TurnDone,
)
from S2S.realtime.model import OPENAI_VOICES, RealtimeModel
from S2S.realtime.server import MAX_EVENT
from testing.chat_server import ChatServer
from testing.realtime_server import ScriptedConnection, ScriptedRealtimeServer
from testing.server import ScriptedWebServer
from tests.command import run
from tests.S2S.realtime.talk import Talk, answer, engines_at


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class TestStart:
    def refused(self, url: str | None, **settings: Any) -> str:
        with pytest.raises(UserError) as told:
            RealtimeModel(url, **{"timeout_s": 5.0, **settings})
        assert told.value.exit_code == 2
        return str(told.value)

    def test_nobody_is_there(self) -> None:
        told = self.refused(f"ws://127.0.0.1:{free_port()}/v1")
        assert "no server answers at ws://127.0.0.1:" in told
        assert "--s2s_base_url" in told

    @pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost/v1", "ws://", "ws://[x/v1"])
    def test_an_address_that_is_none(self, url: str) -> None:
        assert f"expected an address such as ws://localhost:8000/v1, got {url!r}" in self.refused(url)

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (401, "refuses the key; set OPENAI_API_KEY, or --s2s_api_key_file"),
            (403, "refuses the connection (403); check the address, which usually ends in /v1"),
            (404, "check --s2s_base_url and --s2s_model_name"),
            (503, "accepts no more sessions now (HTTP 503)"),
            (200, "expected a server of the OpenAI Realtime protocol, got HTTP 200"),
        ],
    )
    def test_refused_over_http(self, server: ScriptedRealtimeServer, status: int, words: str) -> None:
        server.status = status
        assert words in self.refused(server.url)

    def test_a_server_of_the_chat_protocol(self) -> None:
        with ChatServer() as server:
            told = self.refused(server.base_url)
        assert "(404)" in told or "expected a server of the OpenAI Realtime protocol" in told

    def test_a_socket_that_speaks_no_http(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:

            def speak() -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(b"220 mail.example.org ESMTP\r\n")
                    connection.recv(4096)

            threading.Thread(target=speak).start()
            told = self.refused(f"ws://127.0.0.1:{listening.getsockname()[1]}")
        assert "expected a server of the OpenAI Realtime protocol" in told

    def test_a_websocket_of_another_protocol(self) -> None:
        with serve(lambda ws: ws.send(ws.recv()), "127.0.0.1", 0) as echo:
            threading.Thread(target=echo.serve_forever).start()
            port = echo.socket.getsockname()[1]
            told = self.refused(f"ws://127.0.0.1:{port}", timeout_s=0.3)
            echo.shutdown()
        assert "did not greet with session.created within 0.3 s" in told

    @pytest.mark.parametrize(
        ("greeting", "words"),
        [
            ("hello", "got JSONDecodeError"),
            ("[" * 100_000, "got ValueError"),
            ('{"type": "welcome"}', "got an event of the type 'welcome'"),
            (
                '{"type": "error", "error": {"code": "model_not_found", "message": "No model x."}}',
                "refuses the session: model_not_found: No model x",
            ),
            (
                '{"type": "error", "error": {"code": "unauthorized", "message": "expected a token"}}',
                "refuses the key; set OPENAI_API_KEY, or --s2s_api_key_file",
            ),
        ],
    )
    def test_another_greeting(self, server: ScriptedRealtimeServer, greeting: str, words: str) -> None:
        server.greeting = greeting
        assert words in self.refused(server.url)

    def test_our_server_without_a_valid_token(self) -> None:
        with ScriptedWebServer(token="open sesame") as model:
            told = self.refused(f"http://127.0.0.1:{model.port}/v1")
        assert "refuses the" in told

    def test_openai_needs_a_key(self) -> None:
        assert "no key; set OPENAI_API_KEY or --s2s_api_key_file" in self.refused(None)

    def test_the_key_and_the_model_are_sent(
        self, server: ScriptedRealtimeServer, tmp_path: Path
    ) -> None:
        file = tmp_path / "key"
        file.write_text("sk-test\n")
        url = f"{server.url}/realtime?tier=1"
        engines_at(url, model_name="gpt-x", api_key_file=str(file)).close()
        assert server.requests[-1].headers["Authorization"] == "Bearer sk-test"
        assert server.requests[-1].path == "/v1/realtime?tier=1&model=gpt-x"

    def test_voices_of_others_are_not_known(self, server: ScriptedRealtimeServer) -> None:
        engines = engines_at(server.url)
        assert engines.capabilities.voices == ()
        engines.capabilities.expect_voice("anybody")
        engines.close()
        assert {"marin", "cedar"} <= set(OPENAI_VOICES)

    def test_the_command(self, server: ScriptedRealtimeServer) -> None:
        server.status = 401
        mode = ("--mode", "websocket", "--port", "0")
        ended = run("--s2s", "realtime", "--s2s_base_url", server.url, *mode)
        assert ended.returncode == 2
        assert "s2s_pipeline.py: --s2s realtime: ws://127.0.0.1" in ended.stderr
        assert "refuses the key" in ended.stderr


class TestNonsense:
    @pytest.mark.parametrize(
        "text",
        [
            "nonsense",
            "[]",
            "{}",
            '{"type": 7}',
            '{"type": "response.created"}',
            '{"type": "response.created", "response": []}',
            '{"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "%"}',
            '{"type": "response.done", "response": {"id": 1}}',
            '{"type": "error"}',
            "[" * 100_000,
            "\ud800",
        ],
    )
    def test_the_conversation_goes_on(self, there: ScriptedConnection, talk: Talk, text: str) -> None:
        there.send_text(text.encode("utf-8", "replace").decode())
        there.send_text("again nonsense")
        answer(there, "resp_1")
        assert talk.until(TurnDone).heard == "Text of resp_1."
        assert [error.code for error in talk.of(ErrorEvent)] == ["protocol"]

    def test_unknown_events_are_passed_over(self, there: ScriptedConnection, talk: Talk) -> None:
        there.send("rate_limits.updated", rate_limits=[])
        there.send("response.of_the_future", response_id="resp_1")
        there.say("resp_unknown", 100)
        there.end("resp_unknown")
        answer(there, "resp_1")
        assert talk.until(TurnDone).heard == "Text of resp_1."
        assert talk.of(ErrorEvent) == []

    def test_a_thousand_random_events(self, there: ScriptedConnection, talk: Talk) -> None:
        dice = random.Random(3)

        def pick() -> Any:
            return dice.choice(["resp_1", "resp_2", "item_1", "", None, 7])

        kinds = (
            *("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
            *("input_audio_buffer.committed", "conversation.item.deleted", "error"),
            "conversation.item.input_audio_transcription.completed",
            *("response.created", "response.output_item.added", "response.done"),
            *("response.output_audio.delta", "response.output_audio_transcript.delta"),
            *(f"response.function_call_arguments.{end}" for end in ("delta", "done")),
        )
        for _ in range(1000):
            response = {"id": pick(), "status": dice.choice(["completed", "cancelled", "failed", 1])}
            item = {"type": "function_call", "id": pick(), "call_id": pick(), "name": "f"}
            fields = {
                "response_id": pick(), "item_id": pick(), "response": response, "item": item,
                "delta": dice.choice(["AAAA", "x", "", None]), "transcript": pick(),
                "arguments": "{}", "error": {"event_id": pick(), "code": pick()},
                "audio_start_ms": dice.choice([0, -5, 10**12, None, "x"]),
            }  # fmt: skip
            there.send(dice.choice(kinds), **fields)
        talk.session.interrupt("client_cancelled")
        there.begin("resp_last")
        there.say("resp_last", 50, "The last.")
        there.end("resp_last")
        talk.until(TurnDone, lambda done: done.heard == "The last.")
        assert all(error.code != "internal_error" for error in talk.of(ErrorEvent))

    @pytest.mark.parametrize("at_ms", [10**400, -(10**400)])
    def test_moments_that_were_not_sent(self, there: ScriptedConnection, talk: Talk, at_ms: int) -> None:
        talk.say(400)
        for _ in range(40):
            there.until("input_audio_buffer.append")
        there.send("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms=at_ms)
        there.send("input_audio_buffer.speech_stopped", item_id="item_1", audio_end_ms=at_ms)
        there.send("input_audio_buffer.committed", item_id="item_1")
        answer(there, "resp_1")
        done = talk.until(TurnDone)
        assert (done.turn, done.heard) == (1, "Text of resp_1.")
        expected = 9600 if at_ms > 0 else 0
        assert talk.of(SpeechStarted)[0].sample == expected
        assert talk.of(SpeechEnded)[0].speech_end_sample == expected
        assert talk.of(ErrorEvent) == []

    def test_an_event_that_is_too_long(self, server: ScriptedRealtimeServer, talk: Talk) -> None:
        there = server.accept()
        there.send_text(" " * (MAX_EVENT + 1))
        assert talk.until(ErrorEvent).code == "connection_lost"
        there = server.accept()
        there.begin("resp_1")
        there.say("resp_1", 25_000, "A long piece.")
        there.say("resp_1", 25_000, "A long piece.")
        talk.until(ReplyStarted)


def test_halves_of_characters_are_not_sent(server: ScriptedRealtimeServer, talk: Talk) -> None:
    there = server.accept()
    talk.session.respond("One \ud800 half.")
    item = there.until("conversation.item.create")["item"]
    item["content"][0]["text"].encode()
