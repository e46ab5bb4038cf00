"""A chat model over a server with the OpenAI responses protocol, on real sockets."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from LLM.openai_responses import OpenAIResponsesModel
from LLM.thoughts import Piece
from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, ToolCall
from pipeline.settings import Tool
from pipeline.turn import CancelToken
from testing.contracts import ChatModelContract
from testing.speech_server import SpeechServer

HELLO = (ChatMessage("user", "Hello."),)
WEATHER = Tool("weather", "The weather in a city.", {"type": "object"})
CALL = ToolCall("call_1", "weather", '{"city": "London"}')


def answer(server: SpeechServer, messages: Any = HELLO, *tools: Any, **settings: Any) -> list[Any]:
    model = OpenAIResponsesModel(base_url=server.base_url, **settings)
    try:
        return list(model.generate(messages, CancelToken(), *tools))
    finally:
        model.close()


class TestContract(ChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[OpenAIResponsesModel]:
        with SpeechServer() as server:
            model = OpenAIResponsesModel(base_url=server.base_url)
            yield model
            model.close()


@pytest.mark.parametrize("stream", [True, False])
def test_words_and_a_function_call(server: SpeechServer, stream: bool) -> None:
    server.reply, server.call = "One moment.", (CALL.name, CALL.arguments)
    pieces = answer(server, HELLO, [WEATHER], "required", stream=stream)
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "One moment."
    calls = [piece for piece in pieces if isinstance(piece, ToolCall)]
    assert {(call.id, call.name) for call in calls} == {("call_1", "weather")}
    assert "".join(call.arguments for call in calls) == CALL.arguments


def test_the_server_gets_the_conversation_the_tools_and_is_to_store_nothing(
    server: SpeechServer,
) -> None:
    messages = [
        ChatMessage("system", "Be brief."),
        *HELLO,
        ChatMessage("assistant", "One moment.", (CALL,)),
        ChatMessage("tool", "rain", answers="call_1"),
    ]
    answer(server, messages, [WEATHER], "weather", gen_kwargs={"max_tokens": 50})
    (request,) = server.requests
    assert request == {
        "model": "scripted",
        "input": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "One moment."},
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "weather",
                "arguments": CALL.arguments,
            },
            {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        ],
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "The weather in a city.",
                "parameters": {"type": "object"},
                "strict": False,
            }
        ],
        "tool_choice": {"type": "function", "name": "weather"},
        "max_output_tokens": 50,
        "store": False,
        "stream": True,
    }


def test_a_response_that_fails_says_why_but_nothing_of_what_was_said(server: SpeechServer) -> None:
    server.breaks_down = True
    with pytest.raises(EngineError, match="broke off in mid-answer: server_error: A …") as caught:
        answer(server, [ChatMessage("user", "It is a secret.")])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("failure", [500, "hang up"])
def test_what_fails_before_the_first_word_is_repeated(server: SpeechServer, failure: int | str) -> None:
    server.failures = [failure]
    assert "".join(answer(server, model_name="m")) == server.reply
    assert len(server.requests) == 2


def test_a_cancelled_call_returns_at_once(server: SpeechServer) -> None:
    server.before_headers.close()
    model = OpenAIResponsesModel(model_name="m", base_url=server.base_url)
    cancel = CancelToken()
    pieces: list[Piece] = []
    caller = threading.Thread(target=lambda: pieces.extend(model.generate(HELLO, cancel)), daemon=True)
    caller.start()
    server.before_headers.wait_until_reached()
    cancel.cancel()
    caller.join(60)
    assert not caller.is_alive()
    assert (pieces, len(server.requests)) == ([], 1)
    server.before_headers.open()
    model.close()
