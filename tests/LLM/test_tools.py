"""A client's functions: how a model is told of them, calls them, and gets the results."""

import json

import pytest

from LLM.chat import NO_RESULT, Chat, called_id, heard_id, said_id
from LLM.openai_chat import OpenAIChatModel
from pipeline.messages import ChatMessage, ToolCall
from pipeline.settings import Tool
from pipeline.turn import CancelToken
from testing.chat_server import ChatServer

WEATHER = Tool("weather", "The weather in a city.", {"type": "object"})
CALL = ToolCall("call_1", "weather", '{"city": "London"}')
HELLO = (ChatMessage("user", "Hello."),)


@pytest.mark.parametrize("stream", [True, False])
def test_a_server_asks_for_a_function_after_some_words(stream: bool) -> None:
    with ChatServer("One moment.") as server:
        server.call = (CALL.name, CALL.arguments)
        model = OpenAIChatModel(base_url=server.base_url, stream=stream)
        answer = list(model.generate(HELLO, CancelToken(), [WEATHER], "required"))
        model.close()
    words = [piece for piece in answer if isinstance(piece, str)]
    calls = [piece for piece in answer if isinstance(piece, ToolCall)]
    assert "".join(words) == "One moment."
    assert {(call.id, call.name) for call in calls} == {("call_1", "weather")}
    assert "".join(call.arguments for call in calls) == CALL.arguments
    request = server.requests[0]
    assert request["tool_choice"] == "required"
    (tool,) = request["tools"]
    assert tool["function"] == {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object"},
    }


def test_a_server_gets_calls_and_results_and_the_name_of_the_one_to_call() -> None:
    messages = [
        *HELLO,
        ChatMessage("assistant", "One moment.", (CALL,)),
        ChatMessage("tool", "rain", answers="call_1"),
    ]
    with ChatServer() as server:
        model = OpenAIChatModel(base_url=server.base_url)
        list(model.generate(messages, CancelToken(), [WEATHER], "weather"))
        model.close()
    request = server.requests[0]
    assert request["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    asked, answered = request["messages"][1:]
    assert asked["content"] == "One moment."
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"city": "London"}
    assert answered == {"role": "tool", "tool_call_id": "call_1", "content": "rain"}


class TestMemory:
    def test_what_was_said_before_a_call_stands_before_it(self) -> None:
        chat = Chat(init_chat_prompt="")
        chat.said(1, "What is the weather?")
        chat.called(1, CALL)
        chat.note("result", ChatMessage("tool", "rain", answers=CALL.id))
        chat.heard(1, "One moment.", cut_short=False)
        messages = chat.prompt("")
        assert [message.role for message in messages] == ["user", "assistant", "tool"]
        assert (messages[1].content, messages[1].calls) == ("One moment.", (CALL,))

    def test_two_calls_each_with_its_result(self) -> None:
        other = ToolCall("call_2", "weather", "{}")
        chat = Chat(init_chat_prompt="")
        chat.said(1, "And in Paris?")
        chat.called(1, CALL)
        chat.called(1, other)
        for call in (CALL, other):
            chat.note(f"result of {call.id}", ChatMessage("tool", call.id, answers=call.id))
        messages = chat.prompt("")[1:]
        assert [m.answers or m.calls[0].id for m in messages] == ["call_1", "call_1", "call_2", "call_2"]

    def test_a_call_without_a_result_is_shown_and_a_result_without_its_call_is_not(self) -> None:
        chat = Chat(init_chat_prompt="")
        chat.said(1, "What is the weather?")
        chat.called(1, CALL)
        chat.said(2, "Hello?")
        assert chat.prompt("")[1:] == [
            ChatMessage("assistant", "", (CALL,)),
            ChatMessage("tool", NO_RESULT, answers=CALL.id),
            ChatMessage("user", "Hello?"),
        ]
        chat.note("result", ChatMessage("tool", "rain", answers=CALL.id))
        assert [message.content for message in chat.prompt("")[1:]] == ["", "rain", "Hello?"]
        chat.erase(called_id(CALL))
        chat.erase(said_id(2))
        assert [message.role for message in chat.prompt("")] == ["user"]

    def test_two_calls_of_which_one_has_its_result(self) -> None:
        other = ToolCall("call_2", "weather", "{}")
        chat = Chat(init_chat_prompt="")
        chat.called(1, CALL)
        chat.called(1, other)
        chat.note("result", ChatMessage("tool", "rain", answers=other.id))
        results = [(message.answers, message.content) for message in chat.prompt("") if message.answers]
        assert results == [(CALL.id, NO_RESULT), (other.id, "rain")]

    def test_a_call_that_was_cut_off_is_shown_only_with_a_result(self) -> None:
        chat = Chat(init_chat_prompt="")
        chat.said(1, "What is the weather?")
        chat.called(1, CALL, cut_short=True)
        assert [message.role for message in chat.prompt("")] == ["user"]
        chat.note("result", ChatMessage("tool", "no such city", answers=CALL.id))
        assert [message.role for message in chat.prompt("")] == ["user", "assistant", "tool"]

    def test_a_call_outlives_its_turn(self) -> None:
        """A turn is dropped if the user goes on before the reply is heard; its call was carried out."""
        chat = Chat(init_chat_prompt="")
        chat.said(1, "What is the")
        chat.called(1, CALL)
        chat.forget(1)
        chat.said(2, "What is the weather?")
        assert [message.role for message in chat.prompt("")] == ["assistant", "tool", "user"]

    def test_calls_and_results_are_forgotten_together(self) -> None:
        chat = Chat(chat_size=1, init_chat_prompt="")
        chat.said(1, "What is the weather?")
        chat.called(1, CALL)
        chat.note("result", ChatMessage("tool", "rain", answers=CALL.id))
        chat.said(2, "Thank you.")
        assert [message.content for message in chat.prompt("")] == ["Thank you."]


class TestNotes:
    def test_system_messages_outlive_what_is_forgotten(self) -> None:
        chat = Chat(chat_size=1, init_chat_prompt="")
        chat.note("rule", ChatMessage("system", "Be kind."))
        for turn in range(3):
            chat.said(turn, f"question {turn}")
        assert [message.content for message in chat.prompt("")] == ["Be kind.", "question 2"]

    def test_what_is_of_the_turn_itself_is_said_once(self) -> None:
        chat = Chat(init_chat_prompt="")
        chat.said(1, "before")
        chat.said(2, "now")
        chat.said(3, "later")
        assert [message.content for message in chat.prompt("now", turn=2)] == ["before\nnow"]

    def test_what_did_not_count_is_forgotten(self) -> None:
        chat = Chat(init_chat_prompt="")
        chat.said(1, "half")
        chat.forget(1)
        chat.said(2, "the whole")
        assert [message.content for message in chat.prompt("")] == ["the whole"]

    def test_ids(self) -> None:
        chat = Chat()
        chat.said(1, "x")
        chat.heard(1, "y", cut_short=True)
        assert chat.entry(said_id(1)).message.content == "x"
        assert chat.entry(heard_id(1)).cut_short
        with pytest.raises(LookupError):
            chat.entry("nobody")
        with pytest.raises(LookupError):
            chat.erase("nobody")
        with pytest.raises(LookupError):
            chat.note("z", ChatMessage("user", "z"), after="nobody")
        with pytest.raises(ValueError, match="said"):
            chat.note(said_id(1), ChatMessage("user", "again"))
