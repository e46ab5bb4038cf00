"""Tokens from a flag, from the environment, and from a file that may change while the server runs."""

import logging
from pathlib import Path

import pytest

from arguments_classes.socket_arguments import SocketArguments
from connections.access.credentials import Credentials
from connections.tcp.server import SocketServer
from pipeline.errors import UserError
from testing.server import ScriptedServer, ScriptedWebServer
from tests.command import run
from tests.socket_clients import CONTROL
from tests.socket_helpers import framed
from tests.web_client import WebClient
from utils.shutdown import StopRequest

FILE = "# of the phones\n\n  first one \r\nsecond-one\n#third-one\n"


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("S2S_TOKEN", "S2S_TOKEN_FILE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(FILE)
    return path


def known(access: Credentials, *tokens: str) -> list[bool]:
    return [access.grant(token) is not None for token in tokens]


def test_one_a_line_and_no_comments(file: Path) -> None:
    access = Credentials(None, str(file), insecure=False)
    assert access.wants_token
    assert known(access, "first one", "second-one") == [True, True]
    strangers = ("", "#third-one", "third-one", "first", "first one\n", FILE, "sécond-one", "\ud800")
    assert not any(known(access, *strangers))


def test_without_any_everybody_is_known() -> None:
    access = Credentials(None, None, insecure=False)
    assert not access.wants_token
    assert known(access, "", "x") == [True, True]


def test_a_flag_and_a_file_count_together(file: Path) -> None:
    access = Credentials("of the flag", str(file), insecure=False)
    assert known(access, "of the flag", "second-one") == [True, True]


def test_a_flag_wins_over_its_variable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = file.with_name("other")
    other.write_text("\ufeffof-the-variable")  # as some editors begin a file
    monkeypatch.setenv("S2S_TOKEN_FILE", str(other))
    access = Credentials(None, None, insecure=False)
    assert known(access, "of-the-variable", "second-one") == [True, False]
    access = Credentials(None, str(file), insecure=False)
    assert known(access, "of-the-variable", "second-one") == [False, True]


@pytest.mark.parametrize("content", [None, b"", b"\n# none\n", b"\xff\xfe secret"])
def test_a_file_without_tokens_is_told_in_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tokens"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"^--token_file: expected a file .* {path} ") as caught:
        Credentials(None, str(path), insecure=False)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, OSError)


def test_a_folder_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2S_TOKEN_FILE", str(tmp_path))
    with pytest.raises(UserError, match=r"^S2S_TOKEN_FILE: expected a file .* cannot be read: "):
        Credentials(None, None, insecure=False)


@pytest.mark.parametrize("mode", [("socket", "--recv_port", "0"), ("websocket", "--port", "0")])
def test_the_command_ends_with_code_2(mode: tuple[str, ...]) -> None:
    ended = run("--mode", *mode, "--token_file", "/nowhere/tokens")
    assert ended.returncode == 2
    assert ended.stderr == (
        "s2s_pipeline.py: --token_file: expected a file with a token on each line, but /nowhere/tokens "
        "cannot be read: No such file or directory\n"
    )


def test_a_token_is_replaced_while_people_talk(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    def may_come(*tokens: str) -> list[bool]:
        came = []
        for token in tokens:
            header = {"Authorization": f"Bearer {token}"}
            with WebClient(server.port, additional_headers=header) as client:
                message = client.receive()
                came.append(message is not None and message["type"] == "welcome")
        return came

    header = {"Authorization": "Bearer second-one"}
    with (
        ScriptedWebServer(token_file=str(file)) as server,
        WebClient(server.port, additional_headers=header) as inside,
    ):
        inside.until("welcome")
        file.write_text("second-one\nthe new one\n")
        assert may_come("second-one", "the new one") == [True, True]
        replaced = file.with_name("replaced")
        replaced.write_text("the new one\n")
        replaced.replace(file)
        assert may_come("second-one", "the new one") == [False, True]
        inside.ask()
        assert caplog.records == []
        file.unlink()
        assert may_come("second-one", "the new one", "") == [False, True, False]
        file.write_text("")
        assert may_come("the new one") == [True]
        file.write_text("third")
        assert may_come("third") == [True]
    told = [record for record in caplog.records if record.name == "connections.access.token_file"]
    assert [record.levelno for record in told] == [logging.ERROR] * 2, "once for each change"
    assert "the new one" not in caplog.text


def test_the_socket_mode_takes_them_too(file: Path) -> None:
    with ScriptedServer(token_file=str(file)) as server:
        with framed(server, token="first one").welcomed():
            pass
        with framed(server, token="third-one") as client:
            assert client.until(CONTROL, "refused")[2]["code"] == "unauthorized"


def test_a_file_makes_a_public_address_safe(file: Path) -> None:
    arguments = SocketArguments(recv_host="0.0.0.0", recv_port=0, send_port=0, token_file=str(file))
    SocketServer(arguments, StopRequest()).close()
