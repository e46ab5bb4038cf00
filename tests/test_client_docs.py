"""docs/client.md, held to the program: its examples run, and its events have the fields of the code."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
import types
import typing
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.program import web_server
from pipeline.audio import resample, to_pcm16
from pipeline.events import Event
from pipeline.settings import SessionSettings
from testing.server import ScriptedWebServer
from tests.command import ROOT
from tests.speech import RATE_HZ, silence, spoken
from tests.web_client import WebClient

PAGE = (ROOT / "docs/client.md").read_text("utf-8")
EVENTS: dict[str, type] = {event.__name__: event for event in typing.get_args(Event)}


def blocks(language: str) -> list[str]:
    """The code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)\n```$", PAGE, re.M | re.S)


MESSAGES: list[dict[str, Any]] = [
    json.loads(line) for block in blocks("json") for line in block.splitlines()
]
"""All messages of the page: one to a line."""


def fits(value: object, kind: Any) -> bool:
    """True if JSON that was made from a field of this type may be `value`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is tuple:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(fits(item, arguments[1]) for item in value.values())
    if dataclasses.is_dataclass(kind):
        return isinstance(value, dict) and has_the_fields_of(kind, value)
    return type(value) is kind


def has_the_fields_of(kind: Any, value: Mapping[str, object]) -> bool:
    hints = typing.get_type_hints(kind)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    return fields.keys() == value.keys() and all(fits(value[name], fields[name]) for name in fields)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_an_example_with_its_fields(name: str) -> None:
    (example,) = [message for message in MESSAGES if message.get("event") == name]
    payload = {key: value for key, value in example.items() if key not in ("type", "event")}
    assert has_the_fields_of(EVENTS[name], payload), example


def test_there_are_no_other_events() -> None:
    assert {m["event"] for m in MESSAGES if m["type"] == "event"} == EVENTS.keys()


def test_a_field_that_is_wrong_is_noticed() -> None:
    kind = EVENTS["Transcript"]
    assert has_the_fields_of(kind, {"turn": 3, "text": "Hello.", "language": None})
    assert not has_the_fields_of(kind, {"turn": 3, "text": "Hello."})
    assert not has_the_fields_of(kind, {"turn": "3", "text": "Hello.", "language": None})


def test_the_settings_that_the_page_names_can_be_changed() -> None:
    (example,) = [message for message in MESSAGES if message["type"] == "settings"]
    changes = {name: value for name, value in example.items() if name != "type"}
    assert SessionSettings().changed(changes) != SessionSettings()


def test_the_messages_of_the_server_have_the_fields_of_the_page() -> None:
    shown = {m["type"]: m.keys() for m in MESSAGES if m["type"] not in ("event", "settings")}
    with ScriptedWebServer() as server:
        server.llm._replies = ["One sentence that takes a while to say. " * 4]
        with WebClient(server.port) as client:
            client.send("respond", text="Hello.")
            for kind in ("welcome", "audio", "flush", "error"):
                assert client.until(kind).keys() == shown[kind]
                client.send("interrupt" if kind == "audio" else "nonsense")
            client.send("ping")
            assert client.until("pong").keys() == shown["pong"]


@pytest.mark.parametrize(
    "name", ["websocket_client.py", "realtime_client.py", "minimal_websocket_client.html"]
)
def test_the_page_shows_the_examples_as_they_are(name: str) -> None:
    example = (ROOT / "examples" / name).read_text("utf-8").strip()
    assert example in blocks("html" if name.endswith("html") else "python")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of the real program, with engines that start quickly."""
    with web_server("--llm", "eliza", "--tts", "espeak") as port:
        yield port


@pytest.mark.slow
@pytest.mark.parametrize(
    ("block", "rate_hz", "address"),
    [(0, 16000, "ws://127.0.0.1:{}/ws"), (1, 24000, "http://127.0.0.1:{}/v1")],
    ids=["websocket", "realtime"],
)
def test_the_python_examples_ask_the_real_program(
    port: int, tmp_path: Path, block: int, rate_hz: int, address: str
) -> None:
    """Taken out of the page, and run in an empty folder."""
    program = tmp_path / "ask.py"
    program.write_text(blocks("python")[block], "utf-8")
    samples = np.concatenate((silence(300), spoken("What is the weather like in London?"), silence(300)))
    with wave.open(str(tmp_path / "question.wav"), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(to_pcm16(resample(samples, RATE_HZ, rate_hz)))
    ended = subprocess.run(
        [sys.executable, str(program), "question.wav", "answer.wav", address.format(port)],
        cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "you: What is the weather like in London?" in ended.stdout
    assert "machine: " in ended.stdout
    with wave.open(str(tmp_path / "answer.wav")) as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(heard) > rate_hz // 2
    assert np.abs(heard).max() > 1000


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_curl(port: int, tmp_path: Path) -> None:
    """One after the other: the speech of the first is what the second transcribes."""
    (commands,) = blocks("sh")
    script = "set -e\n" + commands.replace("localhost:8000", f"127.0.0.1:{port}")
    script = script.replace("curl ", "curl --silent --show-error --fail-with-body --write-out '\\n' ")
    ended = subprocess.run(
        ["sh"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    answers = [line for line in ended.stdout.splitlines() if line]
    transcription, models, info = map(json.loads, answers)
    assert "in London this week" in transcription["text"]
    assert {model["id"] for model in models["data"]} == {"moonshine", "espeak"}
    assert info["private"]
