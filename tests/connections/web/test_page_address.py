"""The lines that a server prints at its start."""

import re
import socket
from typing import Any

import pytest

from arguments_classes.websocket_arguments import WebSocketArguments
from connections.web.page_address import PageAddress
from connections.web.server import WebSocketServer
from testing.server import ScriptedWebServer
from utils.shutdown import StopRequest

HINT = "microphone only with https"


def address(host: str = "localhost", **fields: Any) -> PageAddress:
    return PageAddress(**{"host": host, "port": 8000, "is_secure": False, "token": None, **fields})


def test_on_this_machine() -> None:
    assert [*address().lines(with_token=True)] == [
        "open http://localhost:8000/ in a browser; Ctrl-C ends"
    ]
    assert address("::1", is_secure=True).link(with_token=False) == "https://[::1]:8000/"


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::"])
def test_on_all_addresses(host: str) -> None:
    first, *rest = address(host).lines(with_token=False)
    assert first.startswith("open http://localhost:8000/ in")
    assert HINT in rest[-1]
    for line in rest[:-1]:  # without a network there is none
        assert re.fullmatch(r"on other machines: http://[\d.]+:8000/", line)
        assert "0.0.0.0" not in line
    assert not any(HINT in line for line in address(host, is_secure=True).lines(with_token=False))


def test_on_one_address_of_the_network() -> None:
    first, hint = address("192.168.1.5").lines(with_token=False)
    assert first.startswith("open http://192.168.1.5:8000/ in")
    assert HINT in hint


def test_the_token_is_only_for_the_one_who_started_it() -> None:
    guarded = address(token="a b/?")
    [alone] = guarded.lines(with_token=True)
    assert "http://localhost:8000/#token=a%20b%2F%3F in" in alone
    [logged] = guarded.lines(with_token=False)
    assert "b/?" not in logged
    assert "asks for the token" in logged


def test_without_a_terminal_the_token_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with ScriptedWebServer(token="sesame"):
        pass
    printed = capfd.readouterr().err
    assert "it asks for the token" in printed
    assert "sesame" not in printed


def test_a_token_of_the_file(tmp_path: Any) -> None:
    file = tmp_path / "tokens"
    file.write_text("# ours\nfirst\nsecond\n")
    server = WebSocketServer(WebSocketArguments(port=0, token_file=str(file)), StopRequest())
    assert server._credentials.a_token == "first"
    server.close()


def test_a_machine_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> None:
        raise OSError("Network is unreachable")

    class Unreachable(socket.socket):
        connect = unreachable

    monkeypatch.setattr(socket, "socket", Unreachable)
    [_, hint] = address("0.0.0.0").lines(with_token=False)
    assert HINT in hint
