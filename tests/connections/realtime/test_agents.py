"""The OpenAI Realtime protocol, with OpenAI's own kit for voice agents: @openai/agents, in Node."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from pipeline.messages import ToolCall
from testing.server import ScriptedWebServer
from tests.command import ROOT

HERE = ROOT / "tests/agents"
NODE = shutil.which("node")
MAX_AUDIO_S = 60.0
STORY = "One sentence that takes a while to say. " * 40

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="there is no Node here"),
    pytest.mark.skipif(
        not (HERE / "node_modules/@openai/agents").is_dir(),
        reason="@openai/agents is not installed (make agents)",
    ),
]


def talk(server: ScriptedWebServer) -> Any:
    """The conversation as the kit saw it."""
    ended = subprocess.run(
        [str(NODE), str(HERE / "conversation.mjs"), f"ws://127.0.0.1:{server.port}/v1/realtime"],
        capture_output=True,
        text=True,
        timeout=MAX_AUDIO_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def words(item: dict[str, Any]) -> str:
    """The text of a message."""
    return " ".join(part.get("transcript") or part.get("text", "") for part in item["content"])


def test_a_conversation() -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = [
            "Hello.",
            ToolCall("call_1", "weather", '{"city": "London"}'),
            "It rains.",
            STORY,
            "As you like.",
            STORY,
            ToolCall("call_2", "transfer_to_Poet", "{}"),
            "I am the poet.",
        ]
        seen = talk(server)
    assert seen["errors"] == []
    assert seen["obscure"] == [], "events that the kit does not understand"
    assert seen["agent"] == "Poet"
    assert server.llm.prompts[-1][0].content == "Be a poet."
    assert [tool.name for tool in server.llm.tools[0][0]] == ["weather", "transfer_to_Poet"]
    assert server.llm.prompts[2][-1].content == "rain in London"
    calls = [item for item in seen["history"] if item["type"] == "function_call"]
    assert [(call["name"], call["output"]) for call in calls] == [
        ("weather", "rain in London"),
        ("transfer_to_Poet", '{"assistant":"Poet"}'),
    ]
    messages = [item for item in seen["history"] if item["type"] == "message"]
    assert [(item["role"], words(item)) for item in messages if words(item) not in STORY] == [
        ("user", "words"),
        ("assistant", "Hello."),
        ("user", "words"),
        ("assistant", "It rains."),
        ("user", "Tell me a story."),
        ("user", "words"),
        ("assistant", "As you like."),
        ("user", "And another one."),
        ("user", "words"),
        ("assistant", "I am the poet."),
    ]
    stories = [item for item in messages if STORY.startswith(words(item))]
    assert [item["status"] for item in stories] == ["incomplete"] * 2
    assert all(len(words(item)) < len(STORY) for item in stories), "cut to what was heard"
    assert seen["interruptions"] >= 2
    assert seen["seconds"]["resp_1"] == pytest.approx(0.06, abs=0.03)
