"""Names that others have pointed at this machine (DNS rebinding), on every route; and its own names."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect

from arguments_classes.websocket_arguments import WebSocketArguments
from command_line.parse import parse_command_line
from connections.access.attempt_limiter import AttemptLimiter
from connections.access.authenticator import Authenticator
from connections.access.client_registry import ClientRegistry
from connections.access.credentials import Credentials
from connections.access.host_names import HostNames
from connections.web.app import build_app
from engines.upgrades import Upgrades
from testing.server import ScriptedWebServer

PUBLIC = {"/", "/web", "/health", "/ready"}
"""Routes that tell nothing, the page among them; a load balancer asks the last two by any name."""

PATHS = {
    "GET": (
        *("/v1/sessions", "/v1/voices", "/metrics", "/v1/info", "/v1/models", "/v1/models/{name}"),
        *("/v1/audio/models", "/v1/audio/voices"),
    ),
    "POST": (
        *("/v1/audio/speech", "/v1/audio/transcriptions", "/v1/offers/{name}", "/v1/offers/{name}/undo"),
        *("/v1/realtime/client_secrets", "/v1/realtime/calls", "/v1/realtime/calls/{key}/hangup"),
    ),
    "WS": ("/ws", "/v1/realtime"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedWebServer]:
    scripted = ScriptedWebServer()
    scripted.upgrades = Upgrades(scripted._engines, parse_command_line([]), ())
    with scripted as server:
        yield server


def ask(server: ScriptedWebServer, method: str, path: str, host: str) -> httpx2.Response:
    return httpx2.request(
        method,
        f"http://127.0.0.1:{server.port}{path}",
        headers={"Host": host},
        trust_env=False,
        timeout=60,
    )


def test_every_route_is_named_here(server: ScriptedWebServer) -> None:
    registry = ClientRegistry(server._open_session, WebSocketArguments(), server._engines.capabilities)
    authenticator = Authenticator(Credentials(None, None, insecure=False), AttemptLimiter(100))
    app = build_app(registry, authenticator, (), server.upgrades)
    served = set(paths_of(app.routes))
    assert served - PUBLIC == {path for paths in PATHS.values() for path in paths}


def paths_of(routes: Any) -> Iterator[str]:
    """The paths of an application, also those of the routers that it includes."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from paths_of(route.original_router.routes)
        else:
            yield route.path


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method in ("GET", "POST") for path in PATHS[method]]
)
def test_a_website_cannot_take_this_server_for_its_own(
    server: ScriptedWebServer, method: str, path: str
) -> None:
    refused = ask(server, method, path, "evil.example")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (403, "forbidden")
    assert "got 'evil.example'" in error["message"]
    assert "--allow_origins" in error["message"]


@pytest.mark.parametrize("path", PATHS["WS"])
def test_nor_talk_to_it(server: ScriptedWebServer, path: str) -> None:
    here = socket.create_connection(("127.0.0.1", server.port))
    with connect(f"ws://evil.example{path}", sock=here, origin=None, open_timeout=60) as client:
        said = str(client.recv(60))
        assert "got 'evil.example'" in said
        assert json.loads(said)["type"] == "error"
        with pytest.raises(Exception, match="1008"):
            client.recv(60)


@pytest.mark.parametrize("path", ["/health", "/ready", "/web/"])
def test_a_load_balancer_may_ask_by_any_name(server: ScriptedWebServer, path: str) -> None:
    assert ask(server, "GET", path, "evil.example").status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LocalHost:8000", "localhost.", "s2s.localhost", "127.0.0.1:8000", "[::1]:8000",
        "192.168.1.7:8000", "[fe80::1]", "mybox", "s2s:8000", "mybox.local", "mybox.local.:8000",
        "host.docker.internal:8000", "s2s.default.svc.cluster.local", "mybox.lan", "mybox.home.arpa",
        socket.gethostname(), "friend.example:443", "FRIEND.example",
    ],
)  # fmt: skip
def test_names_of_this_machine(host: str) -> None:
    assert HostNames(["https://friend.example"]).include(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8000", "evil.example.", "localhost.evil.example",
        "127.0.0.1.nip.io", "mylocal.com", "evillocal.co", "x.friend.example",
        "localhost@evil.example", "[::1", "127.0.0.1%2eevil.com", "1.2.3.4.5", ":8000",
        "evil.local.example",
    ],
)  # fmt: skip
def test_names_of_others(host: str) -> None:
    assert not HostNames(["https://friend.example", "null"]).include(host)


@pytest.mark.parametrize("host", [None, ""])
def test_a_request_without_a_name_is_no_browsers(host: str | None) -> None:
    assert HostNames([]).include(host)


@pytest.mark.parametrize(
    "flags",
    [{"allow_origins": "https://talk.example"}, {"insecure": True}, {"token": "right"}],
)
def test_what_the_operator_allowed(flags: dict[str, Any]) -> None:
    with ScriptedWebServer(**flags) as server:
        address = f"http://127.0.0.1:{server.port}/v1/info"
        headers = {"Host": "talk.example", "Authorization": "Bearer right"}
        assert httpx2.get(address, headers=headers, trust_env=False, timeout=60).status_code == 200
