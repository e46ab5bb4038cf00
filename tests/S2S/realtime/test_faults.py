"""`--s2s realtime`: servers that do not exist, refuse, send nonsense, die, and come back."""

import random
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import serve

from pipeline.errors import UserError
from pipeline.events import AudioLost, ErrorEvent, ReplyStarted, TurnDone
from pipeline.messages import ToolCall
from S2S.realtime.model import OPENAI_VOICES, RealtimeModel
from testing.chat_server import ChatServer
from testing.realtime_server import ScriptedConnection, ScriptedRealtimeServer
from testing.server import ScriptedWebServer
from tests.command import run
from tests.S2S.realtime.talk import Talk, answer, engines_at
from tests.socket_clients import wait_for


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
            (403, "refuses the key"),
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


class TestLoss:
    @pytest.fixture(params=["drop", "hang_up"])
    def lose(self, request: pytest.FixtureRequest) -> Any:
        return lambda there: getattr(there, request.param)()

    def test_a_turn_that_is_being_answered_fails_and_the_next_succeeds(
        self, server: ScriptedRealtimeServer, talk: Talk, lose: Any
    ) -> None:
        there = server.accept()
        there.hear("item_1", "What is it?")
        there.begin("resp_1")
        there.say("resp_1", 100, "It is ")
        talk.until(ReplyStarted)
        lose(there)
        error = talk.until(ErrorEvent)
        assert (error.code, error.turn) == ("connection_lost", 1)
        assert talk.until(TurnDone).reason == "s2s failed"
        there = server.accept()
        items = [there.until("conversation.item.create")["item"] for _ in range(2)]
        texts = [(item["role"], item["content"][0]["text"]) for item in items]
        assert texts == [("user", "What is it?"), ("assistant", "It is…")], "the last is still heard"
        there.hear("item_1", "Go on.")
        answer(there, "resp_1")
        done = talk.until(TurnDone)
        assert (done.user_text, done.heard) == ("Go on.", "Text of resp_1.")
        assert len(talk.of(ErrorEvent)) == 1

    def test_the_conversation_is_given_back_as_it_was_heard(
        self, server: ScriptedRealtimeServer, talk: Talk
    ) -> None:
        there = server.accept()
        talk.session.respond("Tell me.")
        there.until("response.create")
        there.begin("resp_1", 1)
        for number in range(20):
            there.say("resp_1", 400, f"Sentence {number}. ")
        talk.until(ReplyStarted)
        talk.session.interrupt("client_cancelled")
        heard = talk.until(TurnDone).heard
        talk.chat.called(1, ToolCall("call_1", "weather", "{}"))
        there.drop()
        there = server.accept()
        items = [there.until("conversation.item.create")["item"] for _ in range(2 + bool(heard))]
        assert items[0]["content"][0]["text"] == "Tell me."
        assert items[-1]["type"] == "function_call"
        assert talk.until(ErrorEvent).turn is None, "no turn was waiting"

    def test_audio_spoken_meanwhile_is_dropped_with_one_notice(
        self, server: ScriptedRealtimeServer, talk: Talk
    ) -> None:
        there = server.accept()
        server.status = 503
        there.drop()
        assert talk.until(ErrorEvent).code == "connection_lost"
        talk.say(500)
        turn = talk.session.respond("Are you there?")
        error = talk.until(ErrorEvent)
        assert (error.code, error.turn) == ("unreachable", turn.number)
        server.status = None
        there = server.accept()
        lost = talk.until(AudioLost)
        assert lost.samples == 12000
        answer(there, "resp_1")
        assert talk.until(TurnDone, lambda done: done.turn != turn.number).heard == "Text of resp_1."
        assert len(talk.of(AudioLost)) == 1
        assert len(talk.of(ErrorEvent)) == 2

    def test_a_reply_that_came_whole_is_heard_to_its_end(
        self, server: ScriptedRealtimeServer, talk: Talk
    ) -> None:
        there = server.accept()
        answer(there, "resp_1", ms=600)
        talk.until(ReplyStarted)
        there.drop()
        assert talk.until(ErrorEvent).turn is None
        done = talk.until(TurnDone)
        assert (done.state, done.heard) == ("done", "Text of resp_1.")

    def test_other_sessions_do_not_notice(self, server: ScriptedRealtimeServer) -> None:
        engines = engines_at(server.url)
        with Talk("", engines=engines) as one:
            of_one = server.accept()
            with Talk("", engines=engines) as other:
                of_other = server.accept()
                of_other.drop()
                assert other.until(ErrorEvent).code == "connection_lost"
                answer(of_one, "resp_1")
                assert one.until(TurnDone).heard == "Text of resp_1."
                assert one.of(ErrorEvent) == []
        engines.close()

    def test_a_server_that_reads_nothing(self, server: ScriptedRealtimeServer, talk: Talk) -> None:
        there = server.accept()
        there.stall()
        for _ in range(200):
            talk.say(400)
            talk.session.activity.wait_idle()
        there.go_on()

        def is_told() -> bool:
            talk.say(20)
            return bool(talk.of(AudioLost))

        wait_for(is_told, "a notice of lost audio")
        assert talk.of(AudioLost)[0].reason == "the server did not accept it in time"
        answer(there, "resp_1")
        assert talk.until(TurnDone).heard == "Text of resp_1."

    def test_a_session_that_begins_while_the_server_is_away(
        self, server: ScriptedRealtimeServer
    ) -> None:
        engines = engines_at(server.url)
        server.status = 503
        with Talk("", engines=engines) as talk:
            wait_for(lambda: len(server.requests) > 2, "a failed attempt to connect")
            talk.say(20)
            assert talk.until(ErrorEvent).code == "busy"
            server.status = None
            there = server.accept()
            answer(there, "resp_1")
            assert talk.until(TurnDone).heard == "Text of resp_1."
        engines.close()

    def test_keys_stay_out_of_errors(self, server: ScriptedRealtimeServer, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text("sk-verysecret")
        with Talk(server.url, api_key_file=str(file)) as talk:
            there = server.accept()
            error = {"code": "bad", "message": "The key sk-verysecret is wrong."}
            there.send("error", error=error)
            assert "verysecret" not in talk.until(ErrorEvent).text


def test_halves_of_characters_are_not_sent(server: ScriptedRealtimeServer, talk: Talk) -> None:
    there = server.accept()
    talk.session.respond("One \ud800 half.")
    item = there.until("conversation.item.create")["item"]
    item["content"][0]["text"].encode()
