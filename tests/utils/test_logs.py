"""Log contents: facts that must be there, and words and secrets that must not."""

import json
import logging
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from testing.server import ScriptedServer
from tests.command import ROOT, command
from tests.socket_clients import CONTROL, EVENT
from tests.socket_helpers import framed
from tests.web_client import WebClient
from utils.logs import JsonFormatter, TextFormatter

TOKEN = "TOKENED"
NEVER = ("SAID", "ANSWERED", "TYPED", "TOLD", "GUESSED", TOKEN, "KEYED", "ek_", "Bearer", "key=")


def record(message: str, **facts: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "a.b", "levelname": "INFO", "msg": message, **facts})


def test_facts_are_told_behind_a_text() -> None:
    line = TextFormatter().format(record("refused", peer="::1", why='it is "so"\n2 lines', session=3))
    assert line.endswith(r'INFO    a.b: refused peer=::1 why="it is \"so\"\n2 lines" session=3')


def test_a_json_object_is_one_line_with_all_facts() -> None:
    told = json.loads(JsonFormatter().format(record("a\nb", session=3, peer="é", odd={1})))
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "info", "logger": "a.b", "message": "a\nb", "session": 3, "peer": "é", "odd": "{1}",
    }  # fmt: skip
    try:
        raise ValueError("why")
    except ValueError:
        line = JsonFormatter().format(record("failed", exc_info=sys.exc_info()))
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: why")


def hold_a_conversation(port: int) -> tuple[str, str]:
    """Hold a conversation with all kinds of faults, in recognizable words. Returns the keys handed
    out."""
    header = {"Authorization": f"Bearer {TOKEN}"}
    with WebClient(port, subprotocols=["s2s", f"s2s-token.{TOKEN}"]) as client:
        key = client.key
        client.send("settings", instructions="You were TOLD")
        client.ask()
        client.until("TurnDone")
        client.send("respond", text="TYPED, now break")
        assert client.until("ErrorEvent")["code"] == "internal_error"
        client.until("TurnDone")
        client.send("respond", text="TYPED, now refuse")
        assert "TYPED" in client.until("ErrorEvent")["text"], "the client is told, the log is not"
        client.until("TurnDone")
        client.send("sing", text="TYPED")
        client.send("respond", text=["TYPED"])
        client.until("error")
        client.drop()
    with WebClient(port, f"?key={key}&rate=24000", additional_headers=header) as again:
        again.until("welcome")
        again.socket.send(b"much" * 50_000)
        assert again.until_closed() == 1009
    with WebClient(port, "?key=KEYED", additional_headers=header) as stranger:
        assert stranger.until_closed() == 4001
    for token in ("GUESSED", "ek_GUESSED"):
        with WebClient(port, additional_headers={"Authorization": f"Bearer {token}"}) as stranger:
            assert stranger.until_closed() == 1008
    url = f"http://127.0.0.1:{port}/v1/realtime/client_secrets?key=KEYED"
    session = json.dumps({"session": {"instructions": "You were TOLD"}}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, session, header)) as answer:
        secret = json.load(answer)["value"]
    for token, body in ((secret, session), ("GUESSED", session), (TOKEN, b'{"TYPED": 3}')):
        request = urllib.request.Request(url, body, {"Authorization": f"Bearer {token}"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        caught.value.close()
    return key, secret


@pytest.mark.parametrize("written_as", ["text", "json"])
def test_a_conversation_leaves_figures_and_codes_and_no_word(written_as: str) -> None:
    argv = [sys.executable, "-m", "tests.log_server", "debug", written_as, TOKEN]
    with subprocess.Popen(argv, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as server:
        assert server.stdout is not None
        given_out = hold_a_conversation(int(server.stdout.readline()))
        told = server.communicate(timeout=60)[1]
    for word in (*NEVER, *given_out):
        assert word not in told, word
    if written_as == "text":
        assert "session begun session=1 peer=127.0.0.1" in told
        return
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    by_message = {line["message"]: line for line in lines}
    begun, ended = by_message["session begun"], by_message["session ended"]
    assert (begun["session"], begun["peer"], begun["level"]) == (1, "127.0.0.1", "info")
    assert (ended["session"], ended["reason"], ended["turns"]) == (1, "the client left", 3)
    assert 0 < ended["duration_s"] < 60
    errors = [(line["stage"], line["code"]) for line in lines if line["message"] == "error"]
    assert errors == [("llm", "internal_error"), ("llm", "unreachable")]
    refused = [line["code"] for line in lines if line["message"].startswith("refused")]
    assert refused == [
        "too_long", "gone", "unauthorized", "unauthorized", "forbidden", "unauthorized",
        "bad_message",
    ]  # fmt: skip


def test_the_command_takes_the_format() -> None:
    argv = command(
        "--mode", "websocket", "--port", "0", "--llm", "eliza", "--tts", "espeak", "--token", TOKEN
    )
    argv += ["--log_level", "info", "--log_format", "json"]
    with subprocess.Popen(argv, stdout=PIPE, stderr=PIPE, text=True) as server:
        assert server.stderr is not None
        opened = next(line for line in server.stderr if "in a browser" in line)
        with WebClient(int(opened.split(":")[2].split("/")[0])) as stranger:
            assert stranger.until_closed() == 1008
        server.terminate()
        told = server.communicate(timeout=60)[1]
    (line,) = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert (line["message"], line["code"]) == ("refused: expected a token", "unauthorized")


def test_the_socket_mode_logs_the_same(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), ScriptedServer(token=TOKEN) as server:
        with framed(server, token="wrong") as stranger:
            stranger.until(CONTROL, "refused")
        with framed(server, token=TOKEN).welcomed() as client:
            client.ask()
            client.until(EVENT, "TurnDone")
    told: dict[str, dict[str, Any]] = {record.message: vars(record) for record in caplog.records}
    assert told["refused: the token is wrong"]["code"] == "unauthorized"
    assert told["session begun"]["session"] == told["session ended"]["session"] == 1
    assert told["session ended"]["turns"] == 1
    assert Path(told["session ended"]["pathname"]).name == "session_log.py"
