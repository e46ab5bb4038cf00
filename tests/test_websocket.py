"""The WebSocket: real clients on real sockets, what they may say, and what becomes of those who drop."""

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

import connections.guests
from arguments_classes.websocket_arguments import WebSocketArguments
from connections.websocket_server import WebSocketServer
from pipeline.errors import UserError
from testing.fakes import ScriptedModel
from testing.server import ScriptedWebServer
from tests.socket_clients import wait_for
from tests.web_client import WebClient
from utils.audio import from_pcm16
from utils.shutdown import Request

LONG = "One sentence that takes a while to say. " * 8


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


class TestConversation:
    def test_a_question_is_answered_in_packets_of_20_ms(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            assert client.until("welcome")["rate"] == 24000
            client.ask()
            done = client.until("TurnDone")
            assert done["heard"] == "One sentence. Another sentence."
            assert {len(packet) for packet in client.audio} == {960}
            seconds = sum(map(len, client.audio)) / 48000
            assert seconds == pytest.approx(0.01 * len("One sentence.Another sentence."), abs=0.05)
            kinds = [message["type"] for message in client.messages]
            assert kinds.count("audio") == 1, "one place in front of all that follows"
            names = [m["event"] for m in client.messages if m["type"] == "event"]
            assert names.index("Transcript") < names.index("ReplyStarted") < names.index("TurnDone")

    def test_at_another_rate(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port, "?rate=16000") as client:
            client.rate_hz = 16000
            client.ask()
            client.until("TurnDone")
            assert {len(packet) for packet in client.audio} == {640}

    def test_packets_of_any_size(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.socket.send(np.full(12000, 16000, "<i2").tobytes())
            for _ in range(20):
                client.socket.send(bytes(2))
            client.socket.send(bytes(24000))
            client.until("ReplyStarted")

    def test_typed_text_is_answered_and_remembered(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.send("respond", text="typed")
            assert client.until("TurnDone")["user_text"] == "typed"
        assert server.llm.prompts[0][-1].content == "typed"

    def test_an_interruption_empties_the_client(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as client:
            client.ask()
            client.send("interrupt")
            assert client.until("flush")["turn"] == 1
            heard = client.until("Interrupted")["heard"]
            assert LONG.startswith(heard)
            before = len(client.audio)
            client.send("respond", text="next")
            assert client.until("audio")["turn"] == 2
            assert len(client.audio) == before, "nothing more of the old answer"

    def test_speech_over_the_answer_ducks_pauses_and_interrupts(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as client:
            client.ask()
            client.say(1400)
            assert client.until("duck")["gain"] < 1
            client.until("flush")
            client.until("Interrupted")

    def test_in_half_duplex_it_does_not(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port, "?duplex=half") as client:
            client.ask()
            while len(client.audio) < 10:  # what is captured from now on comes behind its beginning
                client.receive()
            client.say(1400)
            client.send("interrupt")
            assert client.until("Interrupted")["reason"] == "the client asked for it"

    def test_push_to_talk(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.send("settings", hands_free=False)
            client.say(400)
            client.say(400, 0.0)
            client.send("start")
            client.say(400)
            client.send("commit")
            client.until("ReplyStarted")
            client.until("TurnDone")
            assert len(server.stt.heard) == 1
            client.send("start")
            client.say(200)
            client.send("cancel")
            client.until("SpeechCancelled")
            client.send("commit")
            assert client.until("ErrorEvent")["code"] == "nothing_said"

    def test_what_the_client_played_corrects_what_was_heard(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as client:
            client.ask()
            client.send("interrupt")
            client.until("Interrupted")
            client.send("played", turn=1, sample=0)
            client.send("respond", text="next")
            client.until("ReplyStarted")
        assert not [message for message in server.llm.prompts[1] if message.role == "assistant"]

    def test_a_stage_that_fails_costs_one_answer(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            server.llm.error_after_words = (0, ValueError("secret"))
            client.say(400)
            client.say(600, 0.0)
            error = client.until("ErrorEvent")
            assert error["stage"] == "llm"
            assert "secret" not in json.dumps(client.messages)
            client.until("TurnDone")
            server.llm.error_after_words = None
            client.ask()


class TestMistakes:
    @pytest.mark.parametrize(
        "text",
        [
            "no json",
            "[]",
            "3",
            "{}",
            '{"type": "sing"}',
            '{"type": ["start"]}',
            '{"type": "respond"}',
            '{"type": "respond", "text": 3}',
            '{"type": "played", "turn": -1, "sample": 0}',
            '{"type": "played", "turn": true, "sample": 0}',
            '{"type": "settings", "voice": 3}',
            '{"type": "settings", "reply_mode": "song"}',
            '{"type": "settings", "hands_free": null}',
            '{"type": "settings", "password": "x"}',
            "[" * 20_000,
        ],
    )
    def test_a_message_that_makes_no_sense_is_told_and_the_session_goes_on(
        self, server: ScriptedWebServer, text: str
    ) -> None:
        with WebClient(server.port) as client:
            client.socket.send(text)
            error = client.until("error")
            assert error["code"] == "bad_message"
            assert "expected" in error["text"]
            client.ask()

    @pytest.mark.parametrize(
        ("data", "code", "closed"),
        [
            (b"\0" * 3, "half_sample", 1007),
            (b"\0" * 96_002, "too_long", 1009),
        ],
    )
    def test_audio_that_makes_no_sense_ends_the_connection(
        self, server: ScriptedWebServer, data: bytes, code: str, closed: int
    ) -> None:
        with WebClient(server.port) as client:
            client.socket.send(data)
            assert client.until("error")["code"] == code
            assert client.until_closed() == closed
        wait_for(lambda: server.sessions[0].state.value == "closed", "the end of the session")

    def test_a_flood_is_stopped(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(100):
                    client.socket.send(b"\0" * 48_000)
            assert client.until_closed() == 1008

    def test_a_huge_message_ends_the_connection(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.socket.send(b"\0" * (1 << 20))
            assert client.until_closed() == 1009

    def test_a_text_that_is_too_long_is_told(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.send("respond", text="x" * 70_000)
            assert client.until("error")["code"] == "too_long"

    @pytest.mark.parametrize("query", ["?rate=100", "?rate=96000", "?duplex=some"])
    def test_a_wish_that_cannot_be_granted(self, server: ScriptedWebServer, query: str) -> None:
        with WebClient(server.port, query) as client:
            assert client.until("error")["code"] == "bad_message"
            assert client.until_closed() == 1007

    def test_who_reads_nothing_holds_nobody_up(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG * 20]
        with WebClient(server.port) as deaf, WebClient(server.port) as client:
            deaf.say(400)
            deaf.say(600, 0.0)
            server.llm._replies = ["Short."]
            client.ask()
            client.until("TurnDone")

    def test_a_hundred_come_and_go(self, server: ScriptedWebServer) -> None:
        for number in range(100):
            client = WebClient(server.port)
            client.say(100)
            if number % 2:
                client.close()
            else:
                client.drop()
                client.close()
        left = [session for session in server.sessions[1::2] if session.state.value != "closed"]
        wait_for(lambda: all(s.state.value == "closed" for s in left), "those who said goodbye")


class TestComingBack:
    def test_who_drops_in_mid_answer_hears_the_rest(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        first = WebClient(server.port)
        key = first.key
        first.ask()
        while len(first.audio) < 20:
            first.receive()
        first.drop()
        with WebClient(server.port, f"?key={key}") as again:
            again.until("welcome")
            place = again.until("audio")
            assert place["turn"] == 1
            assert 0 < place["sample"] <= 480 * (len(first.audio) + 10)
            assert again.until("TurnDone")["heard"] == LONG.strip()
            again.send("respond", text="and?")
            again.until("ReplyStarted")
        assert len(server.sessions) == 1
        assert len(server.llm.prompts[1]) == 4, "what was said is remembered"
        first.close()

    def test_a_dead_connection_does_not_stand_in_the_way(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as first:
            key = first.key
            with WebClient(server.port, f"?key={key}") as again:
                again.until("welcome")
                assert first.until("error")["code"] == "replaced"
                assert first.until_closed() == 4002
                again.ask()
        assert len(server.sessions) == 1

    def test_who_does_not_come_back_is_forgotten(
        self, server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections.guests, "GRACE_S", 0.2)
        first = WebClient(server.port)
        key = first.key
        first.drop()
        wait_for(lambda: server.sessions[0].state.value == "closed", "the end of the session")
        with WebClient(server.port, f"?key={key}") as late:
            assert late.until("error")["code"] == "gone"
            assert late.until_closed() == 4001
        first.close()

    def test_nobody_guesses_a_key(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port), WebClient(server.port, "?key=1") as thief:
            assert thief.until_closed() == 4001

    def test_who_says_goodbye_ends_the_session_at_once(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.until("welcome")
        wait_for(lambda: server.sessions[0].state.value == "closed", "the end of the session")

    def test_when_the_server_stops_everybody_is_told(self) -> None:
        with ScriptedWebServer() as server, WebClient(server.port) as client:
            client.until("welcome")
            server.stop()
            assert client.until("SessionEnded")["reason"] == "the server stops"
            assert client.until_closed() == 1000


class TestAccess:
    def test_with_a_token_only_those_who_know_it(self) -> None:
        with ScriptedWebServer(token="let me in") as server:
            for options in (
                {},
                {"additional_headers": {"Authorization": "Bearer wrong"}},
                {"subprotocols": ["s2s", "s2s-token.wrong"]},
            ):
                with WebClient(server.port, **options) as client:
                    assert client.until("error")["code"] == "unauthorized"
                    assert client.until_closed() == 1008
            header = {"Authorization": "Bearer let me in"}
            with WebClient(server.port, additional_headers=header) as client:
                client.until("welcome")
            assert get(server.port, "/v1/sessions")[0] == 401
            assert get(server.port, "/v1/sessions", **header)[0] == 200

    def test_a_browser_gives_it_as_a_subprotocol(self) -> None:
        with ScriptedWebServer(token="sesame") as server:
            options: dict[str, Any] = {"subprotocols": ["s2s", "s2s-token.sesame"]}
            with WebClient(server.port, **options) as client:
                client.until("welcome")
                assert client.socket.subprotocol == "s2s", "the token is not sent back"

    @pytest.mark.parametrize(
        ("origin", "welcome"),
        [
            ("http://127.0.0.1:{port}", True),
            ("https://friend.example", True),
            ("http://evil.example", False),
            ("null", False),
        ],
    )
    def test_pages_from_elsewhere(self, origin: str, welcome: bool) -> None:
        with (
            ScriptedWebServer(allow_origins="https://friend.example") as server,
            WebClient(server.port, origin=origin.format(port=server.port)) as client,
        ):
            assert client.receive()["type"] == ("welcome" if welcome else "error")  # type: ignore[index]

    def test_a_public_address_wants_a_token(self) -> None:
        with pytest.raises(UserError, match=r"--host 0\.0\.0\.0 can be reached from other machines"):
            WebSocketServer(WebSocketArguments(host="0.0.0.0", port=0), Request())
        WebSocketServer(WebSocketArguments(host="0.0.0.0", port=0, token="x"), Request()).close()

    def test_a_full_server_says_so(self) -> None:
        with ScriptedWebServer(max_sessions=1) as server, WebClient(server.port) as inside:
            inside.until("welcome")
            with WebClient(server.port) as client:
                assert client.until("error")["code"] == "full"
                assert client.until_closed() == 1013
            inside.ask()

    def test_a_certificate_that_is_none(self, tmp_path: Any) -> None:
        arguments = WebSocketArguments(port=0, ssl_certfile="/nowhere", ssl_keyfile="/nowhere")
        server = WebSocketServer(arguments, Request())
        with pytest.raises(UserError, match="expected a certificate"):
            server.run(lambda *_: None)  # type: ignore[arg-type, return-value]
        server.close()


class TestHttp:
    def test_health_and_readiness(self, server: ScriptedWebServer) -> None:
        assert get(server.port, "/health")[0] == 200
        assert json.loads(get(server.port, "/ready")[2]) == {"ready": True}

    def test_the_page_and_its_headers(self, server: ScriptedWebServer) -> None:
        for path in ("/", "/web", "/web/"):
            status, headers, body = get(server.port, path)
            assert status == 200
            assert b"Speech to speech" in body
            assert "default-src 'self'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
        assert get(server.port, "/web/../s2s_pipeline.py")[0] == 404

    def test_who_is_there_without_a_word_of_what_is_said(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.ask()
            overview = json.loads(get(server.port, "/v1/sessions")[2])["sessions"]
            assert overview[0]["connected"] is True
            assert "words" not in json.dumps(overview)


def test_the_audio_is_what_was_spoken(server: ScriptedWebServer) -> None:
    server.llm = ScriptedModel("x")
    with WebClient(server.port, "?rate=16000") as client:
        client.rate_hz = 16000
        client.send("respond", text="hello")
        client.until("TurnDone")
        audio = from_pcm16(b"".join(client.audio))
        assert np.allclose(audio[100:200], 0.01, atol=1e-3)
