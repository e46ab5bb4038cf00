"""docs/realtime.md agrees with the code."""

import json
import re
import typing
from typing import Any

import pytest
from openai.types.realtime import RealtimeServerEvent

from connections.realtime.client_events import KINDS, decode
from connections.realtime.support import LEFT_OUT, REFUSED
from tests.command import ROOT

PAGE = (ROOT / "docs/realtime.md").read_text("utf-8")
CODE = "".join(path.read_text("utf-8") for path in (ROOT / "connections/realtime").glob("*.py"))

MCP = {"type": "mcp", "server_label": "search", "server_url": "https://example.org/"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
CLIP = {"type": "input_audio", "audio": "AAAA"}
SAMPLES: dict[str, Any] = {
    "session.include": ["item.input_audio_transcription.logprobs"],
    "session.max_output_tokens": 100,
    "session.parallel_tool_calls": True,
    "session.prompt": {"id": "pmpt_1"},
    "session.reasoning": {"effort": "low"},
    "session.tracing": "auto",
    "session.truncation": "disabled",
    "session.audio.input.noise_reduction": {"type": "near_field"},
    "session.audio.input.transcription.delay": "low",
    "session.audio.input.transcription.keywords": ["tea"],
    "session.audio.input.transcription.languages": ["en", "te"],
    "session.audio.input.transcription.prompt": "About tea.",
    "session.audio.output.speed": 1.2,
    "session.tools": [MCP],
    "session.tool_choice": {"type": "mcp", "server_label": "search"},
    "response.audio.output.format": {"type": "audio/pcmu"},
    "response.max_output_tokens": 100,
    "response.parallel_tool_calls": True,
    "response.prompt": {"id": "pmpt_1"},
    "response.reasoning": {"effort": "low"},
    "response.tools": [MCP],
    "response.tool_choice": {"type": "mcp", "server_label": "search"},
    "response.input": [{"type": "message", "role": "user", "content": [CLIP, IMAGE]}],
    "item.content": [CLIP, IMAGE],
}
"""For each field that is refused or ignored, a value that is. A list stands for the fields inside it."""


def rows(title: str) -> dict[str, str]:
    """The first two columns of the tables under a title."""
    section = re.split(r"^## ", PAGE, flags=re.M)
    (text,) = (part for part in section if part.startswith(title))
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.M))


def test_the_events_of_the_client() -> None:
    assert rows("Events of the client").keys() == KINDS.keys() | REFUSED.keys() | LEFT_OUT.keys()


@pytest.mark.parametrize("param", REFUSED)
def test_what_is_refused_and_why(param: str) -> None:
    why, harmless = REFUSED[param]
    row = rows("Events of the client")[param]
    assert row.startswith(why)
    assert all(f"`{value}`" in row for value in harmless if value != 1)
    assert param in refused_of(param)


@pytest.mark.parametrize("param", LEFT_OUT)
def test_what_is_left_out_and_why(param: str, caplog: pytest.LogCaptureFixture) -> None:
    assert rows("Events of the client")[param] == LEFT_OUT[param]
    with caplog.at_level("INFO"):
        assert refused_of(param) == []
    logged = [(vars(record)["field"], record.getMessage()) for record in caplog.records]
    assert (param, f"left out: {LEFT_OUT[param]}") in logged


def refused_of(param: str) -> list[str]:
    """The fields that are refused in an event with this field."""
    (sample,) = (name for name in SAMPLES if re.match(re.escape(name) + r"($|[.\[])", param))
    *path, last = sample.split(".")
    event: dict[str, Any] = {"type": TYPES[path[0]]}
    place = event
    for name in path:
        place = place.setdefault(name, dict(FRAMES.get(name, {})))
    place[last] = SAMPLES[sample]
    _, refusals = decode(json.dumps(event))
    return [re.sub(r"\[\d+\]", "[]", str(refusal.param)) for refusal in refusals]


TYPES = {
    "session": "session.update",
    "response": "response.create",
    "item": "conversation.item.create",
}
FRAMES = {
    "session": {"type": "realtime"},
    "item": {"type": "message", "role": "user"},
}


def test_the_events_of_the_server() -> None:
    told = rows("Events of the server")
    for kind in typing.get_args(typing.get_args(RealtimeServerEvent)[0]):
        (name,) = typing.get_args(kind.model_fields["type"].annotation)
        is_told = re.search(rf"\b{kind.__name__}\b", CODE) is not None
        assert told.pop(name).startswith(("yes", "over WebRTC") if is_told else "no"), name
    assert not told
