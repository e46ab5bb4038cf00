"""Access over the WebSocket, resuming a session, and the operator's view."""

import gc
import io
import json
import socket
import sys
import threading
import urllib.error
import urllib.request
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

import connections.access.client_registry
from arguments_classes.websocket_arguments import WebSocketArguments
from connections.web import kept_events
from connections.web.server import WebSocketServer
from pipeline.errors import UserError
from pipeline.events import SpeechCancelled
from pipeline.mailbox import CAPACITY
from pipeline.session import SHUT_DOWN
from testing.fakes import StoppableDetector
from testing.server import ScriptedWebServer
from tests.socket_clients import wait_for
from tests.web_client import WebClient
from utils.shutdown import StopRequest

LONG = "One sentence that takes a while to say. " * 8


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


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
            assert (again.receive() or {})["type"] == "welcome"
            place = again.until("audio")
            assert place["turn"] == 1
            assert 0 < place["sample"] <= 480 * (len(first.audio) + 10)
            assert again.until("TurnDone")["heard"] == LONG.strip()
            again.send("respond", text="and?")
            again.until("ReplyStarted")
        assert len(server.sessions) == 1
        assert len(server.llm.prompts[1]) == 4, "what was said is remembered"
        first.close()

    def test_events_lost_with_the_connection_come_again(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as first:
            first.send("respond", text="Tell me.")
            first.until("TurnDone")
            key, sent = first.messages[0]["key"], first.events
            first.drop()
            for received in (0, 3, len(sent)):
                with WebClient(server.port, f"?key={key}&events={received}") as again:
                    again.send("sing")
                    again.until("error")
                    assert again.messages[0]["type"] == "welcome"
                    assert again.events == sent[received:]
                    again.drop()
            with WebClient(server.port, f"?key={key}") as careless:
                careless.send("respond", text="And?")
                careless.until("TurnDone")
                assert careless.events[0] not in sent, "a client that does not count"

    @pytest.mark.parametrize("received", [0, 4, 10_000], ids=["none", "most", "more than were sent"])
    def test_the_welcome_says_where_the_events_go_on(
        self, server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch, received: int
    ) -> None:
        monkeypatch.setattr(kept_events, "MAX_EVENTS", 3)
        with WebClient(server.port) as first:
            assert first.until("welcome")["events"] == 0
            first.send("respond", text="Tell me.")
            first.until("TurnDone")
            key, sent = first.messages[0]["key"], first.events
            first.drop()
        with WebClient(server.port, f"?key={key}&events={received}") as again:
            again.send("sing")
            again.until("error")
            place = again.messages[0]["events"]
            assert place == min(max(received, len(sent) - 3), len(sent))
            assert again.events == sent[place:]

    def test_a_client_that_has_missed_too_much_is_told_that_it_is_over(
        self, server: ScriptedWebServer
    ) -> None:
        with WebClient(server.port) as first:
            key = first.key
            first.drop()
        [session] = server.sessions

        def away() -> bool:
            [told] = json.loads(get(server.port, "/v1/sessions")[2])["sessions"]
            return not told["connected"]

        wait_for(away, "the connection to be gone")
        for _ in range(CAPACITY + 1):
            session.events.emit(SpeechCancelled(0))
        with WebClient(server.port, f"?key={key}&events=0") as again:
            assert again.until_closed() == 1000
        assert session.state.value == "closed"

    def test_a_reply_that_was_ducked_is_still_quieter(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as first:
            first.ask()
            first.say(100)
            first.until("duck")
            first.drop()
            with WebClient(server.port, f"?key={first.messages[0]['key']}") as again:
                again.until("welcome")
                assert (again.receive() or {})["type"] == "duck"

    @pytest.mark.parametrize("events", ["-1", "all", "1.5", "9" * 5000])
    def test_a_number_of_events_that_is_none(self, server: ScriptedWebServer, events: str) -> None:
        with WebClient(server.port, f"?events={events}") as client:
            assert "events=" in client.until("error")["text"]
            assert client.until_closed() == 1007

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
        monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 0.2)
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
            assert client.until("SessionEnded")["reason"] == SHUT_DOWN
            assert client.until("error")["text"] == f"the session has ended: {SHUT_DOWN}"
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
            ("http://[", False),
        ],
    )
    def test_pages_from_elsewhere(self, origin: str, welcome: bool) -> None:
        with (
            ScriptedWebServer(allow_origins="https://friend.example") as server,
            WebClient(server.port, origin=origin.format(port=server.port)) as client,
        ):
            assert client.receive()["type"] == ("welcome" if welcome else "error")  # type: ignore[index]

    @pytest.mark.parametrize("flags", [{}, {"token": "x"}, {"allow_origins": "http://evil.example"}])
    def test_a_name_that_was_made_to_lead_here_is_not_ours(self, flags: dict[str, Any]) -> None:
        header = {"Authorization": "Bearer x"}
        with ScriptedWebServer(**flags) as server:
            here = socket.create_connection(("127.0.0.1", server.port))
            url, origin = "ws://evil.example/ws", "http://evil.example"
            options: dict[str, Any] = {"additional_headers": header, "open_timeout": 60}
            with connect(url, sock=here, origin=Origin(origin), **options) as client:
                message = json.loads(client.recv(60))
        assert message["type"] == ("welcome" if flags else "error")

    def test_a_public_address_wants_a_token(self) -> None:
        with pytest.raises(UserError, match=r"--host 0\.0\.0\.0 can be reached from other machines"):
            WebSocketServer(WebSocketArguments(host="0.0.0.0", port=0), StopRequest())
        WebSocketServer(WebSocketArguments(host="0.0.0.0", port=0, token="x"), StopRequest()).close()

    def test_a_full_server_says_so(self) -> None:
        with ScriptedWebServer(max_sessions=1) as server, WebClient(server.port) as inside:
            inside.until("welcome")
            with WebClient(server.port) as client:
                assert client.until("error")["code"] == "full"
                assert client.until_closed() == 1013
            inside.ask()

    def test_a_machine_that_does_not_keep_up_takes_nobody_more(self) -> None:
        vad = StoppableDetector()
        with ScriptedWebServer(vad=vad) as server, WebClient(server.port) as inside:
            inside.until("welcome")
            vad.hold.close()
            inside.say(400)
            wait_for(lambda: server.sessions[0].intake.backlog_s > 0.3, "the audio")
            with WebClient(server.port) as newcomer:
                refusal = newcomer.until("error")
                assert (refusal["code"], "busy" in refusal["text"]) == ("full", True)
                assert newcomer.until_closed() == 1013
            vad.hold.open()
            inside.say(600, 0.0)
            inside.until("ReplyStarted")

            def welcome() -> bool:
                with WebClient(server.port) as newcomer:
                    return bool((newcomer.receive() or {})["type"] == "welcome")

            wait_for(welcome, "a place")

    def test_a_certificate_that_is_none(self, tmp_path: Any) -> None:
        arguments = WebSocketArguments(port=0, ssl_certfile="/nowhere", ssl_keyfile="/nowhere")
        server = WebSocketServer(arguments, StopRequest())
        with pytest.raises(UserError, match="expected a certificate"):
            server.run(lambda *_: None)  # type: ignore[arg-type]
        server.close()

    def test_it_ends_if_nobody_reads_where_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Unread(io.StringIO):
            def write(self, text: str) -> int:
                raise BrokenPipeError

        monkeypatch.setattr(sys, "stderr", Unread())
        server = WebSocketServer(WebSocketArguments(port=0), StopRequest())
        with pytest.raises(BrokenPipeError):
            server.run(lambda *_: None)  # type: ignore[arg-type]
        assert "web" not in {thread.name for thread in threading.enumerate()}

    def test_of_who_has_left_nothing_is_kept(self, server: ScriptedWebServer) -> None:
        for _ in range(4):
            with WebClient(server.port) as client:
                client.until("welcome")
        sessions = [weakref.ref(session) for session in server.sessions]
        server.sessions.clear()

        def gone() -> bool:
            gc.collect()
            return not any(session() for session in sessions)

        wait_for(gone, "the sessions to be let go")


def test_a_session_that_cannot_be_begun_is_told_and_harms_nobody(
    server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ValueError("no memory for it")

    with WebClient(server.port) as inside:
        inside.until("welcome")
        with monkeypatch.context() as patched:
            patched.setattr("testing.server.Chat", broken)
            with WebClient(server.port) as client:
                assert client.until("error")["code"] == "internal_error"
                assert client.until_closed() == 1011
        assert "a session could not be started" in caplog.text
        inside.ask()


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

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/nothing", 404, "not_found"),
            ("/web/nothing", 404, "not_found"),
            ("/v1/realtime/calls", 405, "method_not_allowed"),
        ],
    )
    def test_every_error_has_one_form(
        self, server: ScriptedWebServer, path: str, status: int, code: str
    ) -> None:
        answered, _, body = get(server.port, path)
        error = json.loads(body)["error"]
        assert (answered, error["type"], error["code"]) == (status, "invalid_request_error", code)
        assert error.keys() == {"type", "code", "message", "param"}

    def test_who_is_there_without_a_word_of_what_is_said(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.ask()
            overview = json.loads(get(server.port, "/v1/sessions")[2])["sessions"]
            assert overview[0]["connected"] is True
            assert "words" not in json.dumps(overview)


def test_prometheus_is_told_figures_and_no_words(server: ScriptedWebServer) -> None:
    with WebClient(server.port) as client:
        client.ask()
        client.until("TurnDone")
        client.send("respond", text="typed")
        client.until("ReplyStarted")
        client.send("interrupt")
        client.until("Interrupted")
        server.llm.error_after_words = (0, ValueError("broken"))
        client.send("respond", text="typed")
        client.until("ErrorEvent")
        page = get(server.port, "/metrics")[2].decode()
    for line in (
        "s2s_sessions 1.0",
        's2s_turns_total{state="interrupted"} 1.0',
        "s2s_interruptions_total 1.0",
        's2s_errors_total{code="internal_error",stage="llm"} 1.0',
        's2s_latency_seconds_count{part="total"} 2.0',
    ):
        assert line in page
    assert "typed" not in page
