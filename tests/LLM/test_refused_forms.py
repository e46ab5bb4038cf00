"""Errors of servers about the form of a conversation ▶ the next request ▶ the notice for the client, for
both protocols."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from LLM.openai_chat import OpenAIChatModel
from LLM.openai_responses import OpenAIResponsesModel
from LLM.server_question import MAX_STEPS
from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, Notice
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
    ask,
    codes,
    items,
    roles,
)


def ids(request: dict[str, Any]) -> set[str]:
    calls = [call for item in items(request) for call in item.get("tool_calls", [item])]
    found = {call.get("call_id") or call.get("id") or call.get("tool_call_id") for call in calls}
    return found - {None}


def alternates(order: list[str]) -> bool:
    """The rule of Mistral's templates: calls and results do not count."""
    following = zip(order, [*order[1:], ""], strict=True)
    turns = [role for role, after in following if (role, after) != ("assistant", "call")]
    turns = [role for role in turns if role in ("user", "assistant")]
    return all(role == ("user", "assistant")[at % 2] for at, role in enumerate(turns))


@dataclass(frozen=True)
class Demand:
    """A form that a server demands, and the sentences in which servers say so."""

    accepts: Callable[[list[str]], bool]
    messages: Sequence[ChatMessage]
    sent: list[str]
    """The roles in the next request."""
    says: Sequence[str]
    holds: str = ""
    """A part of the next request."""


def system_first(order: list[str]) -> bool:
    return "system" not in order[1:]


DEMANDS = {
    "system messages only at the beginning": Demand(
        system_first,
        (SYSTEM, HELLO, GREETING, NEWS, THANKS),
        ["system", "user", "assistant", "user"],
        (
            "System message must be at the beginning.",
            "Unexpected role 'system' after role 'assistant'",
            "The system message must come first",
            "A system message is only allowed at the start of the conversation",
            "While executing CallExpression at line 19: Jinja Exception",
        ),
        "Be brief.\n\nThe user is in Paris.",
    ),
    "no system messages": Demand(
        lambda order: "system" not in order,
        (SYSTEM, HELLO),
        ["user"],
        (
            "System role not supported",
            "Only user, assistant and tool roles are supported, got system.",
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "Developer instruction is not enabled for models/gemma-3-27b-it",
            "Unexpected role 'system'",
            "Conversation roles must alternate user/assistant/user/assistant/...",
        ),
        "Be brief.\n\nHello.",
    ),
    "user and assistant in turn": Demand(
        alternates,
        (SYSTEM, GREETING, HELLO, CALL, RESULT, THANKS),
        ["system", "user", "assistant", "user", "call", "tool", "assistant", "user"],
        (
            "After the optional system message, conversation roles must alternate user/assistant/...",
            "After the optional system message, conversation roles must alternate user and assistant "
            "roles except for tool calls and results.",
            'messages: roles must alternate between "user" and "assistant", but found multiple "user" '
            "roles in a row",
            "Please ensure that multiturn requests alternate between user and model",
        ),
    ),
    "no user after a result": Demand(
        lambda order: ("tool", "user") not in pairwise(order),
        (SYSTEM, HELLO, CALL, RESULT, THANKS),
        ["system", "user", "call", "tool", "assistant", "user"],
        ("Unexpected role 'user' after role 'tool'",),
    ),
    "a user": Demand(
        lambda order: "user" in order,
        (SYSTEM,),
        ["system", "user"],
        (
            "No user query found in messages.",
            "messages: at least one message is required",
            "GenerateContentRequest.contents: contents is not specified",
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            "[] is too short - 'messages'",
        ),
        "(Begin.)",
    ),
    "the user first": Demand(
        lambda order: order[1:2] == ["user"],
        (SYSTEM, GREETING, HELLO),
        ["system", "user", "assistant", "user"],
        (
            'messages: first message must use the "user" role',
            "The conversation must start with a user message",
        ),
        "(Begin.)",
    ),
    "the user last": Demand(
        lambda order: order[-1] in ("user", "tool"),
        (SYSTEM, HELLO, GREETING),
        ["system", "user", "assistant", "user"],
        (
            "Expected last role User or Tool (or Assistant with prefix True) for serving but got "
            "assistant",
            "Last message must have role `user`.",
            "Cannot set `add_generation_prompt` to True when the last message is from the assistant. "
            "Consider using `continue_final_message` instead.",
            "Assistant response prefill is incompatible with enable_thinking.",
            "Cannot have 2 or more assistant messages at the end of the list.",
        ),
        "(Go on.)",
    ),
    "only words of user and assistant": Demand(
        lambda order: "tool" not in order and "system" not in order,
        (SYSTEM, HELLO, CALL, RESULT, GREETING, THANKS),
        ["user", "assistant", "user"],
        ("Only user and assistant roles are supported!", "Error: Invalid role"),
        "Be brief.\n\nHello.",
    ),
    "no calls": Demand(
        lambda order: "tool" not in order,
        (SYSTEM, HELLO, CALL, RESULT, GREETING, THANKS),
        ["system", "user", "assistant", "user"],
        (
            "Unexpected role 'tool'",
            "Failed to parse tool call arguments as JSON",
            "Requests which include `tool_use` or `tool_result` blocks must define `tools`",
            "This model does not support tools",
        ),
    ),
}  # fmt: skip
MEMBERS = [
    pytest.param(demand, said, id=f"{name}: {said:.40}")
    for name, demand in DEMANDS.items()
    for said in demand.says
]


def strict(demand: Demand, said: str, status: int) -> Callable[[dict[str, Any]], Any]:
    def refuses(request: dict[str, Any]) -> tuple[int, Any] | None:
        error = {"error": {"message": said, "type": "BadRequestError", "code": status}}
        return None if demand.accepts(roles(request)) else (status, error)

    return refuses


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(("demand", "said"), MEMBERS)
def test_a_refused_form_is_changed_once_and_for_all(
    server: SpeechServer, kind: type[OpenAIChatModel], demand: Demand, said: str, status: int
) -> None:
    server.refuses = strict(demand, said, status)
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    text, notices = ask(model, demand.messages)
    assert (text, codes(notices)) == (server.reply, ["conversation_adapted"])
    assert roles(server.requests[-1]) == demand.sent
    assert demand.holds in "|".join(str(item.get("content")) for item in items(server.requests[-1]))
    before = len(server.requests)
    assert ask(model, demand.messages) == (server.reply, [])
    assert len(server.requests) == before + 1, "the server need not refuse it again"
    assert server.requests[-1] == server.requests[-2]
    model.close()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(
    "said",
    [
        "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.",
        "Tool call IDs should be alphanumeric strings with length 9!",
        "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with length 9.",
        "Invalid 'input[2].call_id': string too long.",
    ],
)
def test_ids_of_calls_are_shortened(
    server: SpeechServer, kind: type[OpenAIChatModel], said: str
) -> None:
    server.refuses = lambda request: (
        (400, {"message": said}) if any(len(id) != 9 for id in ids(request)) else None
    )
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    text, notices = ask(model, (HELLO, CALL, RESULT))
    assert (text, codes(notices)) == (server.reply, ["conversation_adapted"])
    assert roles(server.requests[-1]) == ["user", "call", "tool"]
    (id,) = ids(server.requests[-1])
    assert id.isalnum()
    model.close()


@pytest.mark.parametrize("kind", MODELS)
def test_a_server_with_many_demands_is_asked_for_each_of_them_once(
    server: SpeechServer, kind: type[OpenAIChatModel]
) -> None:
    demands = [demand for name, demand in DEMANDS.items() if not name.startswith(("no ", "only "))]
    rules = [strict(demand, demand.says[0], 400) for demand in demands]
    server.refuses = lambda request: next(filter(None, (rule(request) for rule in rules)), None)
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    poisoned = (SYSTEM, GREETING, HELLO, CALL, RESULT, NEWS, THANKS, GREETING)
    text, notices = ask(model, poisoned)
    assert (text, codes(notices)) == (server.reply, ["conversation_adapted"])
    assert len(server.requests) <= 1 + len(demands)
    before = len(server.requests)
    for conversation in (poisoned, (SYSTEM,), (SYSTEM, GREETING, HELLO), (HELLO, GREETING, NEWS, HELLO)):
        assert ask(model, conversation)[0] == server.reply
    assert len(server.requests) == before + 4
    model.close()


@pytest.mark.parametrize("kind", MODELS)
def test_a_reason_that_is_unknown_costs_the_history_of_one_turn(
    server: SpeechServer, kind: type[OpenAIChatModel]
) -> None:
    body = {"error": {"message": "The content is filtered.", "code": "content_filter"}}
    server.refuses = lambda request: (400, body) if "Welcome." in str(request) else None
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    _, (notice,) = ask(model, (SYSTEM, HELLO, GREETING, THANKS))
    assert notice == Notice(
        "conversation_refused",
        f"the language model at {model._server.where} refuses the conversation, so only its end was "
        "sent "
        "(content_filter: The content is filtered)",
    )
    assert roles(server.requests[-1]) == ["system", "user"]
    assert ask(model, (SYSTEM, HELLO, THANKS)) == (server.reply, [])
    assert len(server.requests) == 3, "and no other conversation is changed"
    model.close()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(
    "said", ["Not this.", "System role not supported", "maximum context length is 8192 tokens"]
)
def test_what_cannot_be_remedied_is_told_once_and_the_next_turn_works(
    server: SpeechServer, kind: type[OpenAIChatModel], said: str
) -> None:
    server.refuses = lambda request: (
        (400, {"error": {"message": said, "code": "no_way", "param": "messages"}})
        if "Thank you." in str(request)
        else None
    )
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    with pytest.raises(EngineError) as caught:
        ask(model, (SYSTEM, HELLO, GREETING, THANKS))
    assert str(caught.value) == (
        f"the language model at {model._server.where} answered with error 400: "
        f"no_way (messages): {said.rstrip('.')}"
    )
    before = len(server.requests)
    assert ask(model, (SYSTEM, HELLO, GREETING, HELLO)) == (server.reply, [])
    assert len(server.requests) == before + 1
    assert roles(server.requests[-1]) == ["system", "user", "assistant", "user"], "nothing is learned"
    model.close()


def test_the_reason_is_logged_and_told_without_what_was_said(
    server: SpeechServer, caplog: pytest.LogCaptureFixture
) -> None:
    quote = {"error": {"message": "Not allowed: 'My code is 4711.'", "code": "blocked"}}
    server.refuses = lambda request: (400, quote)
    model = OpenAIChatModel("m", server.base_url, retries=0)
    caplog.set_level("INFO", "utils.openai_client")
    with pytest.raises(EngineError) as caught:
        ask(model, (HELLO, GREETING, ChatMessage("user", "My code is 4711.")))
    for text in (str(caught.value), *(record.getMessage() for record in caplog.records)):
        assert "blocked: Not allowed: '…" in text
        assert "4711" not in text
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    model.close()


@pytest.mark.parametrize("status", [401, 403, 429])
def test_errors_of_the_key_and_of_its_limits_change_nothing(server: SpeechServer, status: int) -> None:
    server.refuses = lambda request: (status, {"error": {"message": "context length of your plan"}})
    model = OpenAIChatModel("m", server.base_url, retries=0)
    with pytest.raises(EngineError):
        ask(model, (HELLO, GREETING, THANKS))
    assert len(server.requests) == 1
    model.close()


def test_a_server_that_refuses_everything_is_not_asked_for_ever(server: SpeechServer) -> None:
    reasons = [said for demand in DEMANDS.values() for said in demand.says]
    server.refuses = lambda request: (400, {"error": reasons[len(server.requests) % len(reasons)]})
    model = OpenAIChatModel("m", server.base_url, retries=0, gen_kwargs={"temperature": 1, "top_p": 1})
    with pytest.raises(EngineError, match="answered with error 400"):
        ask(model, (SYSTEM, GREETING, HELLO, CALL, RESULT, NEWS, THANKS, GREETING))
    assert 2 < len(server.requests) <= 1 + MAX_STEPS
    model.close()


IN_MID_ANSWER = {
    OpenAIChatModel: 'data: {"error": {"code": 400, "message": "No user query found in messages."}}\n\n',
    OpenAIResponsesModel: (
        'event: response.failed\ndata: {"type": "response.failed", "response": {"error": {"code": "x", '
        '"message": "No user query found in messages."}}}\n\n'
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_refusal_in_place_of_the_answer(server: SpeechServer, kind: type[OpenAIChatModel]) -> None:
    server.refuses = lambda request: None if "user" in roles(request) else (200, IN_MID_ANSWER[kind])
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    text, notices = ask(model, (SYSTEM,))
    assert (text, codes(notices)) == (server.reply, ["conversation_adapted"])
    model.close()


def test_an_error_in_place_of_the_answer_is_told(server: SpeechServer) -> None:
    server.failures = [(200, 'data: {"error": {"code": "overloaded", "message": "Try again."}}\n\n')]
    model = OpenAIChatModel("m", server.base_url, retries=0)
    with pytest.raises(EngineError, match="could not answer: overloaded: Try again"):
        ask(model, (HELLO,))
    assert ask(model, (HELLO,)) == (server.reply, [])
    model.close()
