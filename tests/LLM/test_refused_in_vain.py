"""Refusals that say nothing about what the server takes ▶ nothing is changed for the other sessions."""

import json

import pytest

from LLM.openai_chat import OpenAIChatModel
from pipeline.messages import ChatMessage
from testing.speech_server import SpeechServer
from tests.LLM.asking import (
    CALL,
    GREETING,
    HELLO,
    MODELS,
    NEWS,
    RESULT,
    SYSTEM,
    THANKS,
    WEATHER,
    ask,
    codes,
    roles,
)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(
    "words",
    [
        "this model does not support tools",
        "stream is not supported",
        "system role not supported",
        "only user and assistant roles are supported",
        "messages must alternate",
        "invalid role",
        "template",
    ],
)
def test_what_did_not_help_is_undone_and_never_kept(
    server: SpeechServer, kind: type[OpenAIChatModel], words: str
) -> None:
    """Words of one conversation, which the server quotes, look like a demand."""
    poison = ChatMessage("user", f"Lemonade: {words}.")
    server.refuses = lambda request: (
        (400, {"error": {"message": f"Filtered: {words}"}}) if "Lemonade" in str(request) else None
    )
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    others = (SYSTEM, HELLO, CALL, RESULT, THANKS)
    assert ask(model, others, [WEATHER]) == (server.reply, [])
    usual = server.requests[-1]
    conversation = (SYSTEM, poison, CALL, RESULT, GREETING, THANKS)
    text, notices = ask(model, conversation, [WEATHER])
    assert (text, codes(notices)) == (server.reply, ["conversation_refused"])
    assert roles(server.requests[-1]) == ["system", "user"]
    fields = server.requests[-1].keys()
    assert fields == usual.keys(), "functions and stream stay"
    before = len(server.requests)
    assert ask(model, others, [WEATHER]) == (server.reply, [])
    assert (len(server.requests), server.requests[-1]) == (before + 1, usual)
    model.close()


NOT_MORE: dict[str, tuple[str, str, list[str]]] = {
    "no calls": (
        "Only user and assistant roles are supported!",
        "tool",
        ["system", "user", "assistant", "user"],
    ),
    "no calls, in other words": ("Error: Invalid role", "tool", ["system", "user", "assistant", "user"]),
    "no system": (
        "Only user and assistant roles are supported!",
        "system",
        ["user", "call", "tool", "assistant", "user"],
    ),
    "no system, in other words": (
        "Error: Invalid role",
        "system",
        ["user", "call", "tool", "assistant", "user"],
    ),
    "no system, by the template": (
        "Jinja Exception",
        "system",
        ["user", "call", "tool", "assistant", "user"],
    ),
}
"""Name ▶ what the server says, the role that it refuses, and the roles in the next turn."""


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(("said", "role", "sent"), NOT_MORE.values(), ids=NOT_MORE)
def test_only_the_form_that_helped_is_kept(
    server: SpeechServer, kind: type[OpenAIChatModel], said: str, role: str, sent: list[str]
) -> None:
    server.refuses = lambda request: (400, {"message": said}) if role in roles(request) else None
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    for told in (["conversation_adapted"], []):
        text, notices = ask(model, (SYSTEM, HELLO, CALL, RESULT, GREETING, THANKS))
        assert (text, codes(notices)) == (server.reply, told)
        assert roles(server.requests[-1]) == sent
    model.close()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (
            400,
            {
                "message": "Failed to call a function. Please adjust your prompt. See "
                "'failed_generation' for more details.",
                "type": "invalid_request_error",
                "code": "tool_use_failed",
                "failed_generation": "<function=weather>{",
            },
        ),
        (400, {"message": "Failed to parse tool call arguments as JSON"}),
        (500, {"message": "Failed to parse input at pos 12: <tool_call>"}),
        (500, {"message": "Internal error while handling the role"}),
        (502, {"message": "The tool call parser broke down"}),
        (503, {"message": "Template engine not loaded"}),
    ],
    ids=lambda value: value["message"] if isinstance(value, dict) else str(value),
)
def test_a_failure_that_may_pass_changes_nothing(
    server: SpeechServer, kind: type[OpenAIChatModel], status: int, error: dict[str, str]
) -> None:
    conversation = (SYSTEM, HELLO, CALL, RESULT, GREETING, NEWS, THANKS)
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    server.failures = [(status, json.dumps({"error": error}))]
    assert ask(model, conversation, [WEATHER]) == (server.reply, [])
    assert server.requests[-1] == server.requests[0]
    assert ask(model, conversation, [WEATHER]) == (server.reply, [])
    assert server.requests[-1] == server.requests[0]
    assert len(server.requests) == 3
    model.close()
