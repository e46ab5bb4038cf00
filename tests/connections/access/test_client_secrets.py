"""Client secrets: their issue, the access that they give, and their expiry."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import openai
import pytest

import connections.access.client_secrets
from connections.access.client_secrets import ClientSecrets
from pipeline.errors import ProtocolError
from testing.server import ScriptedWebServer
from tests.web_client import WebClient

TOKEN = "the token"
PATH = "/v1/realtime/client_secrets"
SESSION = {"type": "realtime", "instructions": "Be brief.", "audio": {"output": {"voice": "en-gb"}}}


class Clock:
    """A clock that shows the time it is set to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestTheSecrets:
    def test_they_carry_a_session_and_expire(self) -> None:
        clock = Clock()
        secrets = ClientSecrets(clock)
        value, expires_at = secrets.issue(SESSION, 60)
        assert value.startswith("ek_")
        assert abs(expires_at - time.time() - 60) < 5
        assert secrets.find(value) == SESSION
        clock.now += 59.9
        assert secrets.find(value) == SESSION
        clock.now += 0.1
        assert secrets.find(value) is None
        assert secrets.find("ek_") is None

    def test_what_was_given_out_does_not_change(self) -> None:
        secrets, session = ClientSecrets(), {"audio": {"output": {"voice": "a"}}}
        value, _ = secrets.issue(session, 60)
        session["audio"]["output"]["voice"] = "b"
        first = secrets.find(value)
        assert first is not None
        first["audio"]["output"]["voice"] = "c"
        assert secrets.find(value) == {"audio": {"output": {"voice": "a"}}}

    def test_no_two_are_equal_and_none_is_kept_as_it_is(self) -> None:
        secrets = ClientSecrets()
        values = {secrets.issue({}, 60)[0] for _ in range(100)}
        assert len(values) == 100
        assert min(map(len, values)) > 40
        assert not any(value in repr(vars(secrets)) for value in values)

    def test_there_is_a_bound_and_the_expired_make_room(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections.access.client_secrets, "MAX_SECRETS", 2)
        clock = Clock()
        secrets = ClientSecrets(clock)
        values = [secrets.issue({}, seconds)[0] for seconds in (10, 20)]
        with pytest.raises(ProtocolError) as caught:
            secrets.issue({}, 10)
        assert caught.value.code == "full"
        clock.now += 10
        secrets.issue({}, 10)
        assert [secrets.find(value) for value in values] == [None, {}]


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer(token=TOKEN) as server:
        yield server


@pytest.fixture
def clock(server: ScriptedWebServer) -> Clock:
    clock = Clock()
    server._server._credentials.secrets._clock = clock
    return clock


def post(
    server: ScriptedWebServer, body: bytes = b"{}", token: str = TOKEN, **headers: str
) -> tuple[int, Any]:
    headers["Authorization"] = f"Bearer {token}"
    url = f"http://127.0.0.1:{server.port}{PATH}"
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["error"]


def issue(server: ScriptedWebServer, seconds: int = 600) -> str:
    body = {"session": SESSION, "expires_after": {"anchor": "created_at", "seconds": seconds}}
    status, answer = post(server, json.dumps(body).encode())
    assert status == 200, answer
    return str(answer["value"])


def bearer(token: str) -> dict[str, Any]:
    return {"additional_headers": {"Authorization": f"Bearer {token}"}}


class TestTheEndpoint:
    def test_the_client_of_openai_gets_one(self, server: ScriptedWebServer) -> None:
        with openai.OpenAI(api_key=TOKEN, base_url=f"http://127.0.0.1:{server.port}/v1") as client:
            secret = client.realtime.client_secrets.create(
                session=SESSION,  # type: ignore[arg-type]
                expires_after={"anchor": "created_at", "seconds": 10},
            )
        assert secret.value.startswith("ek_")
        assert abs(secret.expires_at - time.time() - 10) < 5
        assert secret.session.type == "realtime"
        assert secret.session.to_dict() == SESSION
        grant = server._server._credentials.grant(secret.value)
        assert grant is not None
        assert grant.session == SESSION

    @pytest.mark.parametrize("body", [b"", b"{}"])
    def test_without_wishes_it_lives_for_ten_minutes(
        self, server: ScriptedWebServer, body: bytes
    ) -> None:
        status, answer = post(server, body)
        assert status == 200
        assert abs(answer["expires_at"] - time.time() - 600) < 5
        assert answer["session"] == {"type": "realtime"}

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ("no json", "body"),
            ("[]", "body"),
            ("[" * 60_000, "body"),
            ('{"session": {"a": "\\ud800"}}', "body"),
            ('{"session": 3}', "session"),
            ('{"session": null}', "session"),
            ('{"session": {"speed": NaN}}', "session"),
            ('{"session": {"speed": 1e999}}', "session"),
            ('{"expires_after": {"seconds": 9}}', "expires_after.seconds"),
            ('{"expires_after": {"seconds": 7201}}', "expires_after.seconds"),
            ('{"expires_after": {"seconds": "60"}}', "expires_after.seconds"),
            ('{"expires_after": {"seconds": true}}', "expires_after.seconds"),
            ('{"expires_after": {"anchor": "now"}}', "expires_after.anchor"),
            ('{"voice": "x"}', "voice"),
        ],
    )
    def test_a_body_that_makes_no_sense(self, server: ScriptedWebServer, body: str, param: str) -> None:
        status, error = post(server, body.encode())
        assert (status, error["code"], error["param"]) == (400, "bad_message", param)
        assert error["type"] == "invalid_request_error"
        assert error["message"].startswith(f"{param}: ")

    def test_a_body_that_is_too_long(self, server: ScriptedWebServer) -> None:
        status, error = post(server, b'{"session": {"instructions": "' + b"x" * 66_000 + b'"}}')
        assert (status, error["code"], error["param"]) == (413, "too_long", None)

    def test_a_server_with_too_many(
        self, server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections.access.client_secrets, "MAX_SECRETS", 1)
        issue(server)
        status, error = post(server)
        assert (status, error["code"], error["type"]) == (503, "full", "server_error")

    def test_only_who_has_the_token_gets_one(self, server: ScriptedWebServer) -> None:
        assert post(server, token="wrong")[0] == 401
        status, error = post(server, token=issue(server))
        assert (status, error["code"]) == (403, "forbidden")
        status, error = post(server, Origin="https://evil.example")
        assert (status, error["code"]) == (401, "unauthorized")

    def test_what_the_operator_sees_a_client_secret_does_not_open(
        self, server: ScriptedWebServer
    ) -> None:
        for path in ("/v1/sessions", "/metrics"):
            headers = bearer(issue(server))["additional_headers"]
            request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=60)
            with caught.value as refused:
                assert refused.code == 403


class TestTheWebSocket:
    def test_it_opens_sessions_until_it_expires(self, server: ScriptedWebServer, clock: Clock) -> None:
        value = issue(server, seconds=10)
        for options in (
            bearer(value),
            {"subprotocols": ["s2s", f"s2s-token.{value}"]},
            {"subprotocols": ["s2s", f"openai-insecure-api-key.{value}"]},
        ):
            with WebClient(server.port, **options) as client:
                client.until("welcome")
        with WebClient(server.port, **bearer(value)) as inside:
            inside.until("welcome")
            clock.now += 10
            for options in (bearer(value), bearer("ek_never")):
                with WebClient(server.port, **options) as late:
                    assert late.until("error")["code"] == "unauthorized"
                    assert late.until_closed() == 1008
            inside.ask()

    def test_who_drops_may_come_back_though_it_has_expired(
        self, server: ScriptedWebServer, clock: Clock
    ) -> None:
        value = issue(server, seconds=10)
        first = WebClient(server.port, **bearer(value))
        key = first.key
        first.drop()
        clock.now += 10
        for token in ("", "ek_never"):
            with WebClient(server.port, f"?key={key}", **bearer(token)) as thief:
                assert thief.until("error")["code"] == "unauthorized"
        with WebClient(server.port, f"?key={key}", **bearer(value)) as again:
            again.until("welcome")
            again.ask()
        assert len(server.sessions) == 1
        first.close()

    def test_one_that_has_expired_opens_nothing_though_no_token_is_wanted(self) -> None:
        with ScriptedWebServer() as server:
            value = issue(server)
            with WebClient(server.port, **bearer(value)) as client:
                client.until("welcome")
            with WebClient(server.port, **bearer("ek_never")) as client:
                assert client.until("error")["code"] == "unauthorized"
