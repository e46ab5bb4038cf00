"""Answers of servers that are only nearly OpenAI's, through the real SDK and a real server."""

import contextlib
import json
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from LLM.openai_chat import OpenAIChatModel
from LLM.openai_responses import OpenAIResponsesModel
from LLM.thoughts import Piece
from pipeline.errors import EngineError
from pipeline.messages import (
    CONTENT_FILTER,
    INVALID_CALL,
    MAX_OUTPUT_TOKENS,
    ChatMessage,
    CutOff,
    ToolCall,
)
from pipeline.settings import Tool
from pipeline.turn import CancelToken
from testing.chat_server import ChatServer, chunk, events
from testing.speech_server import SpeechServer

HELLO = (ChatMessage("user", "Hello."),)
TOOLS = [Tool(name, "", {"type": "object"}) for name in ("weather", "get_time")]
ARGS = '{"city": "London"}'
WEATHER = ("weather", ARGS)
STOP = chunk({}, "stop")
JSON = "application/json"


def answer(server: ChatServer, stream: bool = True, kind: Any = OpenAIChatModel) -> list[Piece]:
    model = kind(model_name="m", base_url=server.base_url, stream=stream, retries=0)
    try:
        return list(model.generate(HELLO, CancelToken(), TOOLS))
    finally:
        model.close()


def words(pieces: Sequence[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def calls(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    """The calls, put together as the LLM stage does it: successive pieces with the same id."""
    together: list[ToolCall] = []
    for piece in pieces:
        if isinstance(piece, ToolCall):
            assert piece.id and piece.name
            if together and together[-1].id == piece.id:
                before = together.pop()
                assert before.name == piece.name
                piece = ToolCall(piece.id, piece.name, before.arguments + piece.arguments)
            together.append(piece)
    assert len({call.id for call in together}) == len(together), "each id is that of one call"
    return [(call.name, call.arguments) for call in together]


def cut_off(pieces: Sequence[Piece]) -> list[str]:
    return [piece.reason for piece in pieces if isinstance(piece, CutOff)]


def d(
    index: Any = 0, id: Any = None, name: Any = None, arguments: Any = None, **more: Any
) -> dict[str, Any]:
    """A chunk with a piece of a call; what is None is left out."""
    fields = {"name": name, "arguments": arguments}
    function = {key: value for key, value in fields.items() if value is not None}
    piece = {"index": index, "id": id, "type": "function", "function": function, **more}
    return chunk({"tool_calls": [{key: v for key, v in piece.items() if v is not None}]})


def in_one(*pieces: dict[str, Any]) -> dict[str, Any]:
    """The pieces of several chunks in one."""
    together = [call for piece in pieces for call in piece["choices"][0]["delta"]["tool_calls"]]
    return chunk({"tool_calls": together})


NO_FUNCTION = chunk({"tool_calls": [{"index": 0, "function": None}]})
NULL_ARGUMENTS = chunk(
    {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "weather", "arguments": None}}]}
)

CALLS: dict[str, tuple[list[Any], list[tuple[str, str]]]] = {
    "usual": ([d(0, "a", "weather", ""), d(0, arguments=ARGS[:8]), d(0, arguments=ARGS[8:])], [WEATHER]),
    "index from 1": ([d(1, "a", "weather", ""), d(1, arguments=ARGS)], [WEATHER]),
    "index is a text": ([d("0", "a", "weather", ""), d("0", arguments=ARGS)], [WEATHER]),
    "no id": ([d(0, None, "weather", ARGS)], [WEATHER]),
    "no id, in pieces": ([d(0, None, "weather", ARGS[:8]), d(0, arguments=ARGS[8:])], [WEATHER]),
    "empty id": ([d(0, "", "weather", ARGS[:8]), d(0, "", "", ARGS[8:])], [WEATHER]),
    "id is a number": ([d(0, 7, "weather", ARGS)], [WEATHER]),
    "late name": ([d(0, "a"), d(0, name="weather"), d(0, arguments=ARGS)], [WEATHER]),
    "late name, after arguments": ([d(0, "a", None, ARGS[:8]), d(0, None, "weather", ARGS[8:])], [WEATHER]),
    "late id": ([d(0, name="weather"), d(0, "a", arguments=ARGS)], [WEATHER]),
    "late id, after arguments": ([d(0, None, "weather", ARGS[:8]), d(0, "a", None, ARGS[8:])], [WEATHER]),
    "repeated id and name": ([d(0, "a", "weather", ARGS[:8]), d(0, "a", "weather", ARGS[8:])], [WEATHER]),
    "another id in each piece": ([d(0, "a", "weather", ARGS[:8]), d(0, "b", None, ARGS[8:])], [WEATHER]),
    "name in two pieces": ([d(0, "a", "wea"), d(0, None, "ther"), d(0, arguments=ARGS)], [WEATHER]),
    "name that grows": ([d(0, "a", "wea"), d(0, None, "weather"), d(0, arguments=ARGS)], [WEATHER]),
    "empty name": ([d(0, "a", "weather", ARGS[:8]), d(0, "a", "", ARGS[8:])], [WEATHER]),
    "all of it again": ([d(0, "a", "weather", ARGS), d(0, "a", "weather", ARGS)], [WEATHER]),
    "function is left out": ([d(0, "a", function={}), d(0, name="weather"), d(0, arguments=ARGS)], [WEATHER]),
    "function is null": ([d(0, "a", "weather", ARGS), NO_FUNCTION], [WEATHER]),
    "call is null": ([chunk({"tool_calls": [None]}), d(0, "a", "weather", ARGS)], [WEATHER]),
    "call is no list": ([chunk({"tool_calls": {"id": "a", "function": {"name": "weather", "arguments": ARGS}}})], [WEATHER]),
    "arguments are null": ([NULL_ARGUMENTS, d(0, arguments=ARGS)], [WEATHER]),
    "arguments are an object": ([d(0, "a", "weather", {"city": "London"})], [WEATHER]),
    "arguments are JSON in JSON": ([d(0, "a", "weather", json.dumps(ARGS))], [WEATHER]),
    "{} before the arguments": ([d(0, "a", "weather", "{}"), d(0, arguments=ARGS)], [WEATHER]),
    "space around the arguments": ([d(0, "a", "weather", " \n"), d(0, arguments=ARGS), d(0, arguments="\n")], [("weather", f" \n{ARGS}")]),
    "no arguments": ([d(0, "a", "get_time")], [("get_time", "{}")]),
    "empty arguments": ([d(0, "a", "get_time", "")], [("get_time", "{}")]),
    "only null arguments": ([NULL_ARGUMENTS], [("weather", "{}")]),
    "the text null": ([d(0, "a", "get_time", "null")], [("get_time", "{}")]),
    "an empty list": ([d(0, "a", "get_time", [])], [("get_time", "{}")]),
    "an empty object": ([d(0, "a", "get_time", "{}")], [("get_time", "{}")]),
    "no index": ([d(None, "a", "weather", ARGS)], [WEATHER]),
    "no index, in pieces": ([d(None, "a", "weather", ARGS[:8]), d(None, arguments=ARGS[8:])], [WEATHER]),
    "two": ([d(0, "a", "weather", ARGS), d(1, "b", "get_time", "")], [WEATHER, ("get_time", "{}")]),
    "two, the first without arguments": ([d(0, "a", "get_time"), d(1, "b", "weather", ARGS)], [("get_time", "{}"), WEATHER]),
    "two with index 0": ([d(0, "a", "weather", ARGS), d(0, "b", "weather", ARGS)], [WEATHER] * 2),
    "two with index 0, in pieces": ([d(0, "a", "weather", ARGS[:8]), d(0, arguments=ARGS[8:]), d(0, "b", "weather", ARGS[:8]), d(0, arguments=ARGS[8:])], [WEATHER] * 2),
    "two with index 0, no ids": ([d(0, None, "weather", ARGS), d(0, None, "weather", ARGS)], [WEATHER] * 2),
    "two with index 0, no ids or arguments": ([d(0, None, "get_time"), d(0, None, "weather", ARGS)], [("get_time", "{}"), WEATHER]),
    "two with one id": ([d(0, "a", "weather", ARGS), d(1, "a", "get_time", "{}")], [WEATHER, ("get_time", "{}")]),
    "two without ids": ([d(0, None, "weather", ARGS), d(1, None, "weather", ARGS)], [WEATHER] * 2),
    "two without index": ([d(None, "a", "weather", ARGS), d(None, "b", "weather", ARGS)], [WEATHER] * 2),
    "two without index, in turns": ([d(None, "a", "weather", ARGS[:8]), d(None, "b", "weather", ARGS[:8]), d(None, "a", None, ARGS[8:]), d(None, "b", None, ARGS[8:])], [WEATHER] * 2),
    "two without index, in one chunk": ([in_one(d(None, None, "weather", ARGS), d(None, None, "weather", ARGS))], [WEATHER] * 2),
    "two in turns": ([d(0, "a", "weather", ARGS[:8]), d(1, "b", "weather", ARGS[:8]), d(0, arguments=ARGS[8:]), d(1, arguments=ARGS[8:])], [WEATHER] * 2),
    "two in turns, the second ends first": ([d(0, "a", "weather", ARGS[:8]), d(1, "b", "weather", ARGS), d(0, arguments=ARGS[8:])], [WEATHER] * 2),
    "three in turns": ([in_one(*(d(n, f"i{n}", "weather", ARGS[:4]) for n in range(3))), in_one(*(d(n, arguments=ARGS[4:]) for n in (2, 0, 1)))], [WEATHER] * 3),
}  # fmt: skip


@pytest.fixture
def server() -> Any:
    with SpeechServer() as running:
        yield running


@pytest.mark.parametrize("name", CALLS)
def test_a_call_in_a_stream_comes_whole(server: ChatServer, name: str) -> None:
    chunks, expected = CALLS[name]
    server.bodies = [events(*chunks, chunk({}, "tool_calls"))]
    pieces = answer(server)
    assert calls(pieces) == expected
    assert cut_off(pieces) == []


WHOLE = {
    "usual": ([{"id": "a", "function": {"name": "weather", "arguments": ARGS}}], [WEATHER]),
    "object": ([{"function": {"name": "weather", "arguments": {"city": "London"}}}], [WEATHER]),
    "two without ids": ([{"id": "", "function": {"name": "get_time", "arguments": ""}}] * 2, [("get_time", "{}")] * 2),
    "two with one id": ([{"id": "x", "function": {"name": "weather", "arguments": ARGS}}] * 2, [WEATHER] * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("stream", [True, False])
def test_calls_in_a_whole_answer(server: ChatServer, name: str, stream: bool) -> None:
    tool_calls, expected = WHOLE[name]
    message = {"role": "assistant", "content": None, "tool_calls": tool_calls}
    whole = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    server.bodies = [(JSON, json.dumps(whole).encode())]
    assert calls(answer(server, stream)) == expected


def test_the_arguments_of_one_call_come_as_they_are_written(server: ChatServer) -> None:
    server.bodies = [events(d(0, "a", "weather", ""), *(d(0, arguments=letter) for letter in ARGS))]
    assert len(answer(server)) == len(ARGS)


CUT_CALLS = {
    "in the arguments": [d(0, "a", "weather", ARGS[:8])],
    "before the arguments": [d(0, "a", "weather", "")],
    "in the second": [d(0, "a", "weather", ARGS), d(1, "b", "weather", ARGS[:8])],
}


@pytest.mark.parametrize("name", CUT_CALLS)
def test_a_call_that_was_cut_off_is_not_completed(server: ChatServer, name: str) -> None:
    server.bodies = [events(*CUT_CALLS[name], chunk({}, "length"))]
    pieces = answer(server)
    assert calls(pieces)[-1][1] in (ARGS[:8], "")
    assert cut_off(pieces) == [MAX_OUTPUT_TOKENS]


def test_a_call_without_a_name_is_none(server: ChatServer) -> None:
    server.bodies = [events(d(0, "a", None, ARGS), STOP)]
    assert answer(server) == [CutOff(INVALID_CALL)]


HI = chunk({"content": "Hi."})
ANNOTATION = {"choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]}
LINE = json.dumps(HI)

STREAMS: dict[str, tuple[list[Any], str]] = {
    "usual": ([chunk({"role": "assistant", "content": ""}), HI, STOP], "Hi."),
    "no delta (Azure)": ([HI, ANNOTATION, HI, STOP, ANNOTATION], "Hi.Hi."),
    "delta is null": ([{"choices": [{"delta": None}]}, HI], "Hi."),
    "no choices": ([{"choices": []}, {"choices": None}, {"usage": {}}, {}, HI], "Hi."),
    "choice is null": ([{"choices": [None]}, HI], "Hi."),
    "content is null": ([chunk({"content": None}), HI], "Hi."),
    "content is a number": ([chunk({"content": 7}), HI], "Hi."),
    "content in parts": ([chunk({"content": [{"type": "text", "text": "Hi"}, "."]})], "Hi."),
    "a thought in parts": ([chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hi."}]})], "Hi."),
    "a part is null": ([chunk({"content": [None, {"type": "text", "text": None}, {"type": "text", "text": "Hi."}]})], "Hi."),
    "content is a part": ([chunk({"content": {"type": "text", "text": "Hi."}})], "Hi."),
    "refusal": ([chunk({"refusal": "I will not."})], "I will not."),
    "reasoning": ([chunk({"reasoning_content": "Hm."}), HI], "Hi."),
    "delta and the whole (Perplexity)": ([{"choices": [{"delta": {"content": "Hi."}, "message": {"content": "Hi."}}]}], "Hi."),
    "message in a stream": ([{"choices": [{"message": {"content": "Hi."}}]}], "Hi."),
    "whole answer in a stream": ([{"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}], "Hi."),
    "comments": ([": keep-alive\n\n", HI, ":\n\n", STOP], "Hi."),
    "comment first": ([": OPENROUTER PROCESSING\n\n", HI], "Hi."),
    "no empty lines": ([f"data: {LINE}\ndata: {LINE}\n"], "Hi.Hi."),
    "no space": ([f"data:{LINE}\n\ndata:[DONE]\n\n"], "Hi."),
    "CR and LF": ([f"event: message\r\ndata: {LINE}\r\n\r\ndata: [DONE]\r\n\r\n"], "Hi."),
    "byte order mark": ([f"\ufeffdata: {LINE}\n\n"], "Hi."),
    "several lines of data": (["".join(f"data: {line}\n" for line in json.dumps(HI, indent=1).split("\n")) + "\n"], "Hi."),
    "U+2028 as it is": (["data: " + json.dumps(chunk({"content": "Hi.\u2028Hi."}), ensure_ascii=False) + "\n\n"], "Hi.\u2028Hi."),
    "no [DONE]": ([HI], "Hi."),
    "more after [DONE]": ([HI, "data: [DONE]\n\n", HI], "Hi."),
    "empty data": (["data:\n\n", HI, "data: \n\n"], "Hi."),
    "data that is no object": (["data: null\n\ndata: 7\n\n", HI], "Hi."),
    "error is null": ([{**HI, "error": None}], "Hi."),
    "no line end": ([f"data: {LINE}"], "Hi."),
    "nothing was said": ([chunk({"role": "assistant"}), STOP], ""),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("stream", [True, False])
def test_words_in_a_stream(server: ChatServer, name: str, stream: bool) -> None:
    chunks, expected = STREAMS[name]
    server.bodies = [events(*chunks)]
    pieces = answer(server, stream)
    assert (words(pieces), cut_off(pieces)) == (expected, [])


@pytest.mark.parametrize(
    "content_type", [JSON, f"{JSON}; charset=utf-8", "text/plain", "text/event-stream"]
)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("stream", [True, False])
def test_a_whole_answer_is_read_whatever_was_asked_for(
    server: ChatServer, content_type: str, indent: int | None, stream: bool
) -> None:
    whole = {"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}
    server.bodies = [(content_type, b"\n" + json.dumps(whole, indent=indent).encode())]
    assert answer(server, stream) == ["Hi."]


ERROR = {"message": "A secret.", "code": 400}
NO_ANSWERS: dict[str, tuple[str, bytes]] = {
    "nothing": ("text/event-stream", b""),
    "only the end": events("data: [DONE]\n\n"),
    "an object": (JSON, b"{}"),
    "no choices": (JSON, b'{"choices": []}'),
    "a list": (JSON, b"[]"),
    "HTML": ("text/html", b"<html>Bad gateway</html>"),
    "cut off": (JSON, b'{"choices": [{"mess'),
    "an error": (JSON, json.dumps({"error": ERROR}).encode()),
    "an error in a stream": events({"error": ERROR}),
    "an error after a word": events(HI, {"error": ERROR}),
    "an error that is a text": events(HI, {"error": "A secret."}),
    "an error of vLLM": events({"object": "error", **ERROR}),
    "an error as its reason": events(HI, chunk({}, "error")),
    "nonsense in an event": events(HI, "data: A secret.\n\n"),
    "nonsense at the end": events(HI, "data: {"),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
@pytest.mark.parametrize("stream", [True, False])
def test_what_is_no_answer_is_an_error_and_the_next_one_is_read(
    server: ChatServer, name: str, stream: bool
) -> None:
    server.bodies = [NO_ANSWERS[name]]
    with pytest.raises(EngineError) as caught:
        answer(server, stream)
    assert "secret" not in str(caught.value)
    assert words(answer(server, stream)) == server.reply


def test_only_thoughts_are_an_error(server: ChatServer) -> None:
    server.bodies = [events(chunk({"reasoning_content": "Hm."}), STOP)]
    with pytest.raises(EngineError, match="only thoughts") as caught:
        answer(server)
    assert caught.value.code == "no_answer"


REASONS = {
    "stop": [],
    "tool_calls": [],
    "eos": [],
    "": [],
    None: [],
    "length": [MAX_OUTPUT_TOKENS],
    "MAX_TOKENS": [MAX_OUTPUT_TOKENS],
    "content_filter": [CONTENT_FILTER],
    "SAFETY": [CONTENT_FILTER],
}


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("stream", [True, False])
def test_the_reason_of_the_end(server: ChatServer, reason: str | None, stream: bool) -> None:
    whole = {"choices": [{"message": {"content": "Hi."}, "finish_reason": reason}]}
    for body in ((JSON, json.dumps(whole).encode()), events(HI, chunk({}, reason))):
        server.bodies = [body]
        pieces = answer(server, stream)
        assert (words(pieces), cut_off(pieces)) == ("Hi.", REASONS[reason])


HIGH, LOW = "\ud83d", "\ude00"
UNICODE = {
    "pair": ([f"a{HIGH}", f"{LOW}b"], "a😀b"),
    "pair in one": ([f"a{HIGH}{LOW}b"], "a😀b"),
    "high": ([f"a{HIGH}", "b"], "a\ufffdb"),
    "high at the end": (["a", HIGH], "a\ufffd"),
    "low": (["a", f"{LOW}b"], "a\ufffdb"),
    "high, high, low": ([HIGH, HIGH, LOW], "\ufffd😀"),
}


@pytest.mark.parametrize("name", UNICODE)
def test_half_a_character_in_the_words(server: ChatServer, name: str) -> None:
    pieces, expected = UNICODE[name]
    server.bodies = [events(*(chunk({"content": piece}) for piece in pieces))]
    assert words(answer(server)) == expected


@pytest.mark.parametrize("name", UNICODE)
@pytest.mark.parametrize("length", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("escaped", [True, False])
def test_half_a_character_in_a_call(server: ChatServer, name: str, length: int, escaped: bool) -> None:
    pieces, expected = UNICODE[name]
    text = json.dumps({"t": "".join(pieces), "q": 'a\\u0041\\"'}, ensure_ascii=escaped)
    cut = [text[at : at + length] for at in range(0, len(text), length)]
    server.bodies = [events(d(0, "a", "weather", ""), *(d(0, arguments=piece) for piece in cut))]
    ((_, arguments),) = calls(answer(server))
    assert json.loads(arguments) == {"t": expected, "q": 'a\\u0041\\"'}
    arguments.encode()


# -- the responses protocol ------------------------------------------------------------------------


def part(text: str, kind: str = "output_text") -> dict[str, Any]:
    return {"type": "message", "id": "m", "content": [{"type": kind, "text": text}]}


def call_item(arguments: Any = ARGS, **more: Any) -> dict[str, Any]:
    item = {
        "type": "function_call",
        "id": "f",
        "call_id": "a",
        "name": "weather",
        "arguments": arguments,
    }
    return {key: value for key, value in {**item, **more}.items() if value is not None}


def r(kind: str, **fields: Any) -> dict[str, Any]:
    """An event; what is None is left out."""
    return {"type": f"response.{kind}", **{k: v for k, v in fields.items() if v is not None}}


def delta(text: str, index: int | None = 0, item: str | None = "m") -> dict[str, Any]:
    return r("output_text.delta", delta=text, output_index=index, item_id=item)


def arguments(text: str, index: int | None = 1, item: str | None = "f") -> dict[str, Any]:
    return r("function_call_arguments.delta", delta=text, output_index=index, item_id=item)


def item(state: str, value: Any, index: int | None = 1) -> dict[str, Any]:
    return r(f"output_item.{state}", item=value, output_index=index)


def done(*output: Any, kind: str = "completed", **more: Any) -> dict[str, Any]:
    return r(kind, response={"object": "response", "output": list(output), **more})


BEGUN = item("added", call_item(""))
RESPONSES: dict[str, tuple[list[Any], str, list[tuple[str, str]]]] = {
    "usual": ([r("created", response={}), delta("Hi"), delta("."), r("output_text.done", text="Hi.", output_index=0, item_id="m"), item("done", part("Hi."), 0), done(part("Hi."))], "Hi.", []),
    "no deltas": ([r("output_text.done", text="Hi.", output_index=0), item("done", part("Hi."), 0), done(part("Hi."))], "Hi.", []),
    "only items": ([item("added", part(""), 0), item("done", part("Hi."), 0), done(part("Hi."))], "Hi.", []),
    "only the end": ([done(part("Hi."), call_item())], "Hi.", [WEATHER]),
    "a refusal": ([r("refusal.delta", delta="No.", output_index=0)], "No.", []),
    "a thought": ([r("reasoning_text.delta", delta="Hm."), item("added", {"type": "reasoning"}, 0), delta("Hi.", 1)], "Hi.", []),
    "no index": ([delta("Hi.", None, None)], "Hi.", []),
    "delta is null": ([r("output_text.delta"), delta("Hi.")], "Hi.", []),
    "a call": ([BEGUN, arguments(ARGS[:8]), arguments(ARGS[8:]), r("function_call_arguments.done", arguments=ARGS, output_index=1, item_id="f"), item("done", call_item()), done(call_item())], "", [WEATHER]),
    "a call without deltas": ([BEGUN, r("function_call_arguments.done", arguments=ARGS, output_index=1)], "", [WEATHER]),
    "a call that comes at once": ([item("done", call_item())], "", [WEATHER]),
    "a call without index": ([item("added", call_item(""), None), arguments(ARGS, None)], "", [WEATHER]),
    "a call with its index once": ([BEGUN, arguments(ARGS, None)], "", [WEATHER]),
    "a call without call_id": ([item("added", call_item("", call_id=None)), arguments(ARGS)], "", [WEATHER]),
    "a call without ids": ([item("added", call_item("", call_id=None, id=None)), arguments(ARGS, 1, None)], "", [WEATHER]),
    "a call with an object": ([item("done", call_item({"city": "London"}))], "", [WEATHER]),
    "a call without arguments": ([item("added", call_item(None)), item("done", call_item(None))], "", [("weather", "{}")]),
    "two calls in turns": ([BEGUN, item("added", call_item("", id="g", call_id="b"), 2), arguments(ARGS[:8]), arguments(ARGS[:8], 2, "g"), arguments(ARGS[8:]), arguments(ARGS[8:], 2, "g")], "", [WEATHER] * 2),
    "unknown events": ([r("queued"), r("output_item.added", item=None), {"type": 7}, {}, delta("Hi.")], "Hi.", []),
}  # fmt: skip


@pytest.mark.parametrize("name", RESPONSES)
def test_events_of_the_responses_protocol(server: ChatServer, name: str) -> None:
    payloads, said, called = RESPONSES[name]
    server.bodies = [events(*payloads)]
    pieces = answer(server, kind=OpenAIResponsesModel)
    assert (words(pieces), calls(pieces), cut_off(pieces)) == (said, called, [])


@pytest.mark.parametrize("stream", [True, False])
def test_a_whole_response_is_read_whatever_was_asked_for(server: ChatServer, stream: bool) -> None:
    output = [{"type": "reasoning", "content": [{"text": "Hm."}]}, part("Hi."), call_item("")]
    server.bodies = [(JSON, json.dumps({"object": "response", "output": output}).encode())]
    pieces = answer(server, stream, OpenAIResponsesModel)
    assert (words(pieces), calls(pieces)) == ("Hi.", [("weather", "{}")])


@pytest.mark.parametrize("reason", [MAX_OUTPUT_TOKENS, CONTENT_FILTER])
def test_a_response_that_is_incomplete(server: ChatServer, reason: str) -> None:
    end = done(part("Hi."), kind="incomplete", incomplete_details={"reason": reason})
    for body in (events(delta("Hi."), end), (JSON, json.dumps(end["response"]).encode())):
        server.bodies = [body]
        pieces = answer(server, kind=OpenAIResponsesModel)
        assert (words(pieces), cut_off(pieces)) == ("Hi.", [reason])


@pytest.mark.parametrize(
    "body",
    [
        events({"type": "error", "message": "A secret."}),
        events(delta("Hi."), r("failed", response={"error": ERROR})),
        events(r("failed", response={"status": "failed", "error": None})),
        (JSON, json.dumps({"object": "response", "status": "failed", "output": []}).encode()),
        (JSON, b"{}"),
        events(r("created", response={})),
    ],
    ids=["error", "failed after a word", "failed", "failed whole", "an object", "only begun"],
)
def test_a_response_that_fails(server: ChatServer, body: tuple[str, bytes]) -> None:
    server.bodies = [body]
    with pytest.raises(EngineError) as caught:
        answer(server, kind=OpenAIResponsesModel)
    assert "secret" not in str(caught.value)


def test_ids_are_made_where_there_is_none(server: ChatServer) -> None:
    server.bodies = [events(d(0, "", "weather", ARGS), d(1, "", "weather", ARGS))]
    first, second = (piece for piece in answer(server) if isinstance(piece, ToolCall))
    assert first.id != second.id
    assert re.fullmatch(r"call_\w{16}", first.id)


NONSENSE: tuple[Any, ...] = (
    *(
        None,
        0,
        -1,
        1.5,
        True,
        "",
        " ",
        "x",
        "{",
        "}",
        '{"a": 1}',
        "null",
        HIGH,
        LOW,
        "\\ud83d",
        "</think>",
    ),
    *([], {}, [None], [[]], {"text": 7}, {"type": "text", "text": "part"}, [{"text": None}]),
)
FIELDS = (
    *("choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "index"),
    *("id", "finish_reason", "refusal", "type", "item", "output", "response", "output_index", "item_id"),
)
STARTS = (
    d(0, "a", "weather", ARGS),
    d(1, None, "get_time", ""),
    chunk({"content": "word "}),
    chunk({}, "length"),
    delta("word "),
    BEGUN,
    arguments(ARGS[:8]),
    item("done", call_item()),
    done(part("Hi."), call_item()),
)


def spoiled(value: Any, chance: random.Random) -> Any:
    """A copy in which a few values are something else, and a few fields are new or missing."""
    if chance.random() < 0.05:
        return chance.choice(NONSENSE)
    if isinstance(value, list):
        return [spoiled(each, chance) for each in value]
    if not isinstance(value, dict):
        return value
    fields = {key: spoiled(each, chance) for key, each in value.items() if chance.random() > 0.05}
    if chance.random() < 0.05:
        fields[chance.choice(FIELDS)] = chance.choice(NONSENSE)
    return fields


@pytest.mark.parametrize("kind", [OpenAIChatModel, OpenAIResponsesModel])
@pytest.mark.parametrize("seed", range(100))
def test_nonsense_is_an_answer_that_keeps_our_promises_or_one_error(
    server: ChatServer, kind: Any, seed: int
) -> None:
    chance = random.Random(seed)
    payloads = [spoiled(chance.choice(STARTS), chance) for _ in range(chance.randrange(1, 12))]
    server.bodies = [events(*payloads)]
    with contextlib.suppress(EngineError):
        pieces = answer(server, kind=kind)
        words(pieces).encode()
        for name, text in calls(pieces):
            f"{name}{text}".encode()
