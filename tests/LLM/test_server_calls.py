"""Function calls of servers that are only roughly like OpenAI's: each reaches the program whole."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.messages import INVALID_CALL, MAX_OUTPUT_TOKENS, CutOff, ToolCall
from testing.chat_server import ChatServer, chunk, events
from tests.LLM.server_answers import ARGS, JSON, STOP, WEATHER, answer, calls, cut_off, d, in_one

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
    "late name, after arguments": (
        [d(0, "a", None, ARGS[:8]), d(0, None, "weather", ARGS[8:])],
        [WEATHER],
    ),
    "late id": ([d(0, name="weather"), d(0, "a", arguments=ARGS)], [WEATHER]),
    "late id, after arguments": (
        [d(0, None, "weather", ARGS[:8]), d(0, "a", None, ARGS[8:])],
        [WEATHER],
    ),
    "repeated id and name": (
        [d(0, "a", "weather", ARGS[:8]), d(0, "a", "weather", ARGS[8:])],
        [WEATHER],
    ),
    "another id in each piece": ([d(0, "a", "weather", ARGS[:8]), d(0, "b", None, ARGS[8:])], [WEATHER]),
    "name in two pieces": ([d(0, "a", "wea"), d(0, None, "ther"), d(0, arguments=ARGS)], [WEATHER]),
    "name that grows": ([d(0, "a", "wea"), d(0, None, "weather"), d(0, arguments=ARGS)], [WEATHER]),
    "empty name": ([d(0, "a", "weather", ARGS[:8]), d(0, "a", "", ARGS[8:])], [WEATHER]),
    "all of it again": ([d(0, "a", "weather", ARGS), d(0, "a", "weather", ARGS)], [WEATHER]),
    "function is left out": (
        [d(0, "a", function={}), d(0, name="weather"), d(0, arguments=ARGS)],
        [WEATHER],
    ),
    "function is null": ([d(0, "a", "weather", ARGS), NO_FUNCTION], [WEATHER]),
    "call is null": ([chunk({"tool_calls": [None]}), d(0, "a", "weather", ARGS)], [WEATHER]),
    "call is no list": (
        [chunk({"tool_calls": {"id": "a", "function": {"name": "weather", "arguments": ARGS}}})],
        [WEATHER],
    ),
    "arguments are null": ([NULL_ARGUMENTS, d(0, arguments=ARGS)], [WEATHER]),
    "arguments are an object": ([d(0, "a", "weather", {"city": "London"})], [WEATHER]),
    "arguments are JSON in JSON": ([d(0, "a", "weather", json.dumps(ARGS))], [WEATHER]),
    "{} before the arguments": ([d(0, "a", "weather", "{}"), d(0, arguments=ARGS)], [WEATHER]),
    "space around the arguments": (
        [d(0, "a", "weather", " \n"), d(0, arguments=ARGS), d(0, arguments="\n")],
        [("weather", f" \n{ARGS}")],
    ),
    "no arguments": ([d(0, "a", "get_time")], [("get_time", "{}")]),
    "empty arguments": ([d(0, "a", "get_time", "")], [("get_time", "{}")]),
    "only null arguments": ([NULL_ARGUMENTS], [("weather", "{}")]),
    "the text null": ([d(0, "a", "get_time", "null")], [("get_time", "{}")]),
    "an empty list": ([d(0, "a", "get_time", [])], [("get_time", "{}")]),
    "an empty object": ([d(0, "a", "get_time", "{}")], [("get_time", "{}")]),
    "no index": ([d(None, "a", "weather", ARGS)], [WEATHER]),
    "no index, in pieces": ([d(None, "a", "weather", ARGS[:8]), d(None, arguments=ARGS[8:])], [WEATHER]),
    "two": ([d(0, "a", "weather", ARGS), d(1, "b", "get_time", "")], [WEATHER, ("get_time", "{}")]),
    "two, the first without arguments": (
        [d(0, "a", "get_time"), d(1, "b", "weather", ARGS)],
        [("get_time", "{}"), WEATHER],
    ),
    "two with index 0": ([d(0, "a", "weather", ARGS), d(0, "b", "weather", ARGS)], [WEATHER] * 2),
    "two with index 0, in pieces": (
        [
            d(0, "a", "weather", ARGS[:8]),
            d(0, arguments=ARGS[8:]),
            d(0, "b", "weather", ARGS[:8]),
            d(0, arguments=ARGS[8:]),
        ],
        [WEATHER] * 2,
    ),
    "two with index 0, no ids": (
        [d(0, None, "weather", ARGS), d(0, None, "weather", ARGS)],
        [WEATHER] * 2,
    ),
    "two with index 0, no ids or arguments": (
        [d(0, None, "get_time"), d(0, None, "weather", ARGS)],
        [("get_time", "{}"), WEATHER],
    ),
    "two with one id": (
        [d(0, "a", "weather", ARGS), d(1, "a", "get_time", "{}")],
        [WEATHER, ("get_time", "{}")],
    ),
    "two without ids": ([d(0, None, "weather", ARGS), d(1, None, "weather", ARGS)], [WEATHER] * 2),
    "two without index": ([d(None, "a", "weather", ARGS), d(None, "b", "weather", ARGS)], [WEATHER] * 2),
    "two without index, in turns": (
        [
            d(None, "a", "weather", ARGS[:8]),
            d(None, "b", "weather", ARGS[:8]),
            d(None, "a", None, ARGS[8:]),
            d(None, "b", None, ARGS[8:]),
        ],
        [WEATHER] * 2,
    ),
    "two without index, in one chunk": (
        [in_one(d(None, None, "weather", ARGS), d(None, None, "weather", ARGS))],
        [WEATHER] * 2,
    ),
    "two in turns": (
        [
            d(0, "a", "weather", ARGS[:8]),
            d(1, "b", "weather", ARGS[:8]),
            d(0, arguments=ARGS[8:]),
            d(1, arguments=ARGS[8:]),
        ],
        [WEATHER] * 2,
    ),
    "two in turns, the second ends first": (
        [d(0, "a", "weather", ARGS[:8]), d(1, "b", "weather", ARGS), d(0, arguments=ARGS[8:])],
        [WEATHER] * 2,
    ),
    "three in turns": (
        [
            in_one(*(d(n, f"i{n}", "weather", ARGS[:4]) for n in range(3))),
            in_one(*(d(n, arguments=ARGS[4:]) for n in (2, 0, 1))),
        ],
        [WEATHER] * 3,
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
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
    "two without ids": (
        [{"id": "", "function": {"name": "get_time", "arguments": ""}}] * 2,
        [("get_time", "{}")] * 2,
    ),
    "two with one id": (
        [{"id": "x", "function": {"name": "weather", "arguments": ARGS}}] * 2,
        [WEATHER] * 2,
    ),
}


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


BEGUN = d(0, "a", "get_time", "")
UNENDED: dict[str, tuple[list[Any], str]] = {
    "before the arguments": ([BEGUN], ""),
    "null arguments": ([NULL_ARGUMENTS], ""),
    "in the arguments": ([BEGUN, d(0, arguments=ARGS[:8])], ARGS[:8]),
    "only an empty reason": ([BEGUN, chunk({}, "")], ""),
    "whole arguments": ([BEGUN, d(0, arguments=ARGS)], ARGS),
    "an empty object": ([BEGUN, d(0, arguments="{}")], "{}"),
    "JSON in JSON": ([BEGUN, d(0, arguments=json.dumps(ARGS))], ARGS),
    "the first of two": ([BEGUN, d(1, "b", "weather", ARGS)], "{}"),
    "[DONE]": ([BEGUN, "data: [DONE]\n\n"], "{}"),
    "a reason": ([BEGUN, STOP], "{}"),
    "a message": ([{"choices": [{"message": BEGUN["choices"][0]["delta"]}]}], "{}"),
}


@pytest.mark.parametrize("name", UNENDED)
def test_arguments_are_completed_only_if_the_server_says_that_it_has_ended(
    server: ChatServer, name: str
) -> None:
    chunks, expected = UNENDED[name]
    server.bodies = [events(*chunks)]
    assert calls(answer(server))[0][1] == expected


def test_a_call_without_a_name_is_none(server: ChatServer) -> None:
    server.bodies = [events(d(0, "a", None, ARGS), STOP)]
    assert answer(server) == [CutOff(INVALID_CALL)]


def test_ids_are_made_where_there_is_none(server: ChatServer) -> None:
    server.bodies = [events(d(0, "", "weather", ARGS), d(1, "", "weather", ARGS))]
    first, second = (piece for piece in answer(server) if isinstance(piece, ToolCall))
    assert first.id != second.id
    assert re.fullmatch(r"call_\w{16}", first.id)
