"""Helpers of the tests of refused questions: models of both protocols, and views of their requests."""

from collections.abc import Sequence
from typing import Any

from LLM.openai_chat import OpenAIChatModel
from LLM.openai_responses import OpenAIResponsesModel
from pipeline.messages import ChatMessage, Notice, ToolCall
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken

MODELS = (OpenAIChatModel, OpenAIResponsesModel)

SYSTEM, HELLO = ChatMessage("system", "Be brief."), ChatMessage("user", "Hello.")
NEWS, THANKS = ChatMessage("system", "The user is in Paris."), ChatMessage("user", "Thank you.")
GREETING = ChatMessage("assistant", "Welcome.")
CALL = ChatMessage("assistant", "", (ToolCall("call_1", "weather", "{}"),))
RESULT = ChatMessage("tool", "rain", answers="call_1")
WEATHER = Tool("weather", "The weather in a city.", {"type": "object"})


def ask(
    model: OpenAIChatModel,
    messages: Sequence[ChatMessage] = (HELLO,),
    tools: Sequence[Tool] = (),
    tool_choice: str = ANY_TOOL,
) -> tuple[str, list[Notice]]:
    """The answer, and the notices before it."""
    pieces = list(model.generate(messages, CancelToken(), tools, tool_choice))
    notices = [piece for piece in pieces if isinstance(piece, Notice)]
    assert pieces[: len(notices)] == notices
    return "".join(piece for piece in pieces if isinstance(piece, str)), notices


def codes(notices: Sequence[Notice]) -> list[str]:
    return [notice.code for notice in notices]


def items(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation in a request of either protocol."""
    found: list[dict[str, Any]] = request["messages"] if "messages" in request else request["input"]
    return found


def texts(request: dict[str, Any]) -> list[str]:
    """The texts of the conversation, results included."""
    return [item.get("content") or item.get("output") or "" for item in items(request)]


def roles(request: dict[str, Any]) -> list[str]:
    """The order of the conversation, in one form for both protocols."""
    kinds = {"function_call": "call", "function_call_output": "tool"}
    found = []
    for item in items(request):
        if item.get("content") or not item.get("tool_calls"):
            found.append(kinds.get(item.get("type", ""), item.get("role", "")))
        found += ["call"] * len(item.get("tool_calls", ()))
    return found
