"""Limits for a single client, on real sockets; a trusted proxy reports remote addresses."""

import contextlib
import json
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

import connections.access.attempt_limiter
from arguments_classes.websocket_arguments import WebSocketArguments
from connections.access.attempt_limiter import AttemptLimiter, TooOften, network_of
from connections.access.rate_limit import RateLimit
from pipeline.errors import UserError
from testing.server import ScriptedWebServer
from tests.web_client import WebClient

PROXY: dict[str, Any] = {"forwarded_allow_ips": "10.9.0.0/16 127.0.0.1"}


def from_afar(address: str, token: str = "") -> dict[str, Any]:
    return {"additional_headers": {"X-Forwarded-For": address, "Authorization": f"Bearer {token}"}}


def get(server: ScriptedWebServer, path: str, address: str) -> tuple[int, dict[str, str], Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", headers={"X-Forwarded-For": address}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.load(error)["error"]


class TestRateLimit:
    def test_so_many_at_once_and_then_so_many_a_second(self) -> None:
        limit = RateLimit(per_s=2, burst=3, now=100)
        assert [limit.take(100) for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
        assert limit.take(100.25) == 0.25
        assert [limit.take(101) for _ in range(3)] == [0, 0, 0.5]
        assert [limit.take(1000) for _ in range(4)] == [0, 0, 0, 0.5], "no more than the burst is saved"


class TestAttempts:
    def test_each_client_has_its_own(self) -> None:
        now = 0.0
        attempts = AttemptLimiter(2, lambda: now)
        for client in ("a", "a", "b"):
            attempts.count(client)
        with pytest.raises(TooOften, match="try again in 30 s") as caught:
            attempts.count("a")
        assert caught.value.retry_after_s == 30
        attempts.count("b")
        now = 30.0
        attempts.count("a")

    def test_little_is_kept_of_those_who_come_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections.access.attempt_limiter, "MAX_CLIENTS", 100)
        now = 0.0
        attempts = AttemptLimiter(1, lambda: now)
        for number in range(1000):
            attempts.count(f"client {number}")
        assert len(attempts._limits) == 100
        with pytest.raises(TooOften):
            attempts.count("client 999")
        now = 60.0
        attempts.count("somebody else")
        assert len(attempts._limits) == 1

    @pytest.mark.parametrize(
        ("address", "client"),
        [
            ("127.0.0.1", None),
            ("127.8.9.10", None),
            ("::1", None),
            ("::ffff:127.0.0.1", None),
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::1", "2001:db8:1:2::"),
            ("fe80::1%eth0", "fe80::"),
            ("", "unknown"),
            ("x" * 1000, "unknown"),
        ],
    )
    def test_who_is_behind_an_address(self, address: str, client: str | None) -> None:
        assert network_of(address) == client


class TestSessions:
    def test_one_address_does_not_take_all(self) -> None:
        with (
            ScriptedWebServer(max_sessions_per_client=2, **PROXY) as server,
            contextlib.ExitStack() as all,
        ):
            for _ in range(2):
                client = all.enter_context(WebClient(server.port, **from_afar("192.0.2.1")))
                client.until("welcome")
            with WebClient(server.port, **from_afar("192.0.2.1")) as third:
                error = third.until("error")
                assert error["code"] == "full"
                assert "from one address" in error["text"]
                assert third.until_closed() == 1013
            with WebClient(server.port, **from_afar("192.0.2.2")) as other:
                other.ask()
            client.ask()

    def test_who_comes_back_is_not_one_more(self) -> None:
        with ScriptedWebServer(max_sessions_per_client=1, **PROXY) as server:
            first = WebClient(server.port, **from_afar("192.0.2.1"))
            key = first.key
            first.drop()
            with WebClient(server.port, f"?key={key}", **from_afar("192.0.2.1")) as again:
                again.until("welcome")
            first.close()

    @pytest.mark.parametrize("header", ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"])
    def test_the_clients_of_an_unknown_proxy_on_this_machine_count_as_one(self, header: str) -> None:
        first, second = ({header: f"for=192.0.2.{n}"} for n in (1, 2))
        with (
            ScriptedWebServer(max_sessions_per_client=1) as server,
            WebClient(server.port, additional_headers=first) as inside,
        ):
            inside.until("welcome")
            with WebClient(server.port, additional_headers=second) as other:
                assert "from one address" in other.until("error")["text"]
            with WebClient(server.port) as here:
                here.until("welcome")

    def test_this_machine_is_not_limited(self) -> None:
        with (
            ScriptedWebServer(max_sessions_per_client=1, max_attempts_per_minute=1) as server,
            WebClient(server.port) as first,
            WebClient(server.port) as second,
        ):
            first.until("welcome")
            second.until("welcome")


class TestComing:
    def test_wrong_tokens_count_and_the_right_one_waits_too(self) -> None:
        with ScriptedWebServer(token="sesame", max_attempts_per_minute=3, **PROXY) as server:
            for _ in range(3):
                with WebClient(server.port, **from_afar("192.0.2.1", "guess")) as client:
                    assert client.until("error")["code"] == "unauthorized"
            with WebClient(server.port, **from_afar("192.0.2.1", "sesame")) as client:
                error = client.until("error")
                assert error["code"] == "too_often"
                assert "try again in" in error["text"]
                assert client.until_closed() == 1013
            with WebClient(server.port, **from_afar("192.0.2.2", "sesame")) as client:
                client.until("welcome")

    def test_tokens_cannot_be_guessed_through_a_proxy_on_this_machine(self) -> None:
        """As through nginx, which speaks HTTP/1.0 and adds no header unless it is told otherwise."""
        request = b"GET /v1/info HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer guess\r\n\r\n"
        with ScriptedWebServer(token="sesame", max_attempts_per_minute=2) as server:
            codes = []
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", server.port), 10) as there:
                    there.sendall(request)
                    codes.append(int(there.makefile("rb").readline().split()[1]))
        assert codes == [401, 401, 429]

    def test_over_http_it_is_429_and_says_when(self) -> None:
        with ScriptedWebServer(max_attempts_per_minute=2, **PROXY) as server:
            for _ in range(2):
                assert get(server, "/v1/sessions", "2001:db8::1")[0] == 200
            status, headers, error = get(server, "/metrics", "2001:db8::2")
            assert status == 429
            assert 1 <= int(headers["retry-after"]) <= 30
            assert (error["code"], error["type"]) == ("too_often", "rate_limit_error")
            assert get(server, "/health", "2001:db8::1")[0] == 200, "for who looks after it"
            assert get(server, "/web/", "2001:db8::1")[0] == 200


class TestProxies:
    def test_nobody_is_believed_who_is_not_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # which uvicorn heeds, unless told otherwise
        with ScriptedWebServer(max_attempts_per_minute=1) as server:
            claimed = ("192.0.2.1", "192.0.2.2", "127.0.0.1")
            assert [get(server, "/v1/sessions", one)[0] for one in claimed] == [200, 429, 429]

    def test_a_client_cannot_say_for_itself_where_it_is_from(self) -> None:
        """The proxy appends the address it sees to the header it received."""
        with ScriptedWebServer(max_attempts_per_minute=1, **PROXY) as server:
            claimed = ("127.0.0.1", "10.9.0.3, 198.51.100.9", "198.51.100.7")
            statuses = [get(server, "/v1/sessions", f"{one}, 192.0.2.1")[0] for one in claimed]
            assert statuses == [200, 429, 429]

    @pytest.mark.parametrize("value", ["*", "proxy", "10.0.0.1,10.0.0.2", "10.0.0.1/8"])
    def test_only_addresses_and_networks(self, value: str) -> None:
        with pytest.raises(UserError, match="--forwarded_allow_ips: expected addresses or networks"):
            WebSocketArguments(forwarded_allow_ips=value)

    @pytest.mark.parametrize("flag", ["max_sessions_per_client", "max_attempts_per_minute"])
    def test_limits_of_nothing(self, flag: str) -> None:
        nothing: dict[str, Any] = {flag: 0}
        with pytest.raises(UserError, match=f"--{flag}: expected 1 or more, got 0"):
            WebSocketArguments(**nothing)


class TestFloods:
    @pytest.mark.parametrize("message", ['{"type": "interrupt"}', "no json", b"", b"\0\0"])
    def test_too_many_messages_end_the_session(self, message: str | bytes) -> None:
        with ScriptedWebServer() as server, WebClient(server.port) as other:
            with WebClient(server.port, max_queue=None) as client:  # or the goodbye is not read
                with contextlib.suppress(ConnectionClosed):
                    for _ in range(20_000):
                        client.socket.send(message)
                assert client.until_closed() == 1008
                assert client.messages[-1]["code"] == "flood"
            other.ask()

    def test_what_a_hiccup_held_back_is_taken(self) -> None:
        with ScriptedWebServer() as server, WebClient(server.port) as client:
            for _ in range(400):
                client.send("played", turn=1, sample=0)
                client.socket.send(b"\0\0" * 60)
            client.ask()
