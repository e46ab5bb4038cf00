"""The HTTP side of beginning a call over WebRTC; none of it needs aiortc."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from arguments_classes.websocket_arguments import WebSocketArguments
from connections.realtime.ice_server import IceServer, ice_servers
from connections.web.server import WebSocketServer
from pipeline.errors import UserError
from testing.server import ScriptedWebServer
from tests.command import ROOT
from utils.shutdown import StopRequest

TOKEN, ELSEWHERE = "the token", "https://example.org"
PATH = "/v1/realtime/calls"
FORM = "multipart/form-data; boundary=x"


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer(token=TOKEN, allow_origins=ELSEWHERE) as server:
        yield server


def post(server: ScriptedWebServer, path: str, body: str = "", kind: str = "", key: str = TOKEN) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    return httpx2.post(
        f"http://127.0.0.1:{server.port}{path}", content=body, headers=headers, timeout=60
    )


def field(name: str, value: str) -> str:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    ("kind", "body", "status", "param"),
    [
        ("text/plain", "v=0", 400, "content-type"),
        ("", "", 400, "content-type"),
        ("application/sdp", "v" * (1 << 14) + "=", 400, "sdp"),
        ("application/sdp", "v" * (1 << 17) + "=", 413, None),
        (FORM, "", 400, "sdp"),
        (FORM, field("session", "{}") + "--x--\r\n", 400, "sdp"),
        (FORM, field("sdp", "v=0") + field("session", "{") + "--x--\r\n", 400, "session"),
        (FORM, field("sdp", "v=0") + field("session", "[]") + "--x--\r\n", 400, "session"),
        (FORM, field("sdp", "v=0") + field("session", "[" * 100_000) + "--x--\r\n", 400, "session"),
        ("multipart/form-data", field("sdp", "v=0") + "--x--\r\n", 400, "sdp"),
        (FORM, "--x\r\n" * 20_000, 400, "body"),
    ],
)
def test_a_request_that_makes_no_sense(
    server: ScriptedWebServer, kind: str, body: str, status: int, param: str | None
) -> None:
    answer = post(server, PATH, body, kind)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert server.sessions == []


@pytest.mark.parametrize("path", [PATH, f"{PATH}/rtc_x/hangup"])
def test_without_the_token(server: ScriptedWebServer, path: str) -> None:
    answer = post(server, path, "v=0", "application/sdp", "a guess")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


def test_a_call_that_is_not_there(server: ScriptedWebServer) -> None:
    answer = post(server, f"{PATH}/rtc_x/hangup")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "gone"


def test_where_the_extra_is_not_installed(
    server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aiortc", None)
    for name in [name for name in sys.modules if name.startswith("connections.realtime.webrtc")]:
        monkeypatch.delitem(sys.modules, name)
    answer = post(server, PATH, "v=0", "application/sdp")
    assert answer.status_code == 501
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("server_error", "not_installed")
    assert "pip install -e '.[webrtc]'" in error["message"]
    assert server.sessions == []


def test_nothing_of_it_is_imported_before_it_is_needed() -> None:
    code = "import connections.web.server, sys; print({'aiortc', 'av'} & {*sys.modules})"
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert printed.strip() == "set()"


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [(ELSEWHERE, 200, ELSEWHERE), ("https://example.com", 400, None)],
)
def test_pages_of_other_origins(
    server: ScriptedWebServer, origin: str, status: int, allowed: str | None
) -> None:
    """A browser sends a preflight request, and shows the response only to pages that may see it."""
    url = f"http://127.0.0.1:{server.port}{PATH}"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, x-agents",
    }
    preflight = httpx2.options(url, headers=asked, timeout=60)
    assert preflight.status_code == status
    assert preflight.headers.get("access-control-allow-origin") == allowed
    headers = {"Origin": origin, "Authorization": f"Bearer {TOKEN}"}
    answer = httpx2.post(url, content="v=0", headers=headers, timeout=60)
    assert answer.status_code == (400 if allowed else 401)
    assert answer.headers.get("access-control-allow-origin") == allowed


class TestIceServers:
    @pytest.fixture(autouse=True)
    def _is_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: name)

    def test_as_they_are_written(self) -> None:
        found = ice_servers("turn:me:p4ss:word@10.0.0.7:443?transport=tcp,stun:stun.example.org")
        assert found == [
            IceServer("turn:10.0.0.7:443?transport=tcp", "me", "p4ss:word"),
            IceServer("stun:stun.example.org"),
        ]
        assert ice_servers("") == []

    @pytest.mark.parametrize(
        "text",
        [
            "stun.example.org",
            "stun:me:password@example.org",
            "turn:example.org",
            "http://example.org",
            "stun:",
            "turn:me:pass@host?transport=carrier",
        ],
    )
    def test_a_mistake_is_told_at_once_without_the_password(self, text: str) -> None:
        with pytest.raises(UserError, match="--ice_servers: expected") as caught:
            WebSocketServer(WebSocketArguments(port=0, ice_servers=text), StopRequest())
        assert "pass" not in str(caught.value).lower().replace("name:password", "")

    def test_one_of_each_kind(self) -> None:
        with pytest.raises(UserError, match="at most one"):
            ice_servers("stun:a.example.org stun:b.example.org")

    def test_they_need_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(UserError, match="webrtc"):
            ice_servers("stun:example.org")
