"""Answers of servers that are only roughly like OpenAI's, through the real SDK and a real server."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.errors import EngineError
from pipeline.messages import CONTENT_FILTER, MAX_OUTPUT_TOKENS
from testing.chat_server import ChatServer, chunk, events
from tests.LLM.server_answers import JSON, STOP, answer, calls, cut_off, d, words


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


HI = chunk({"content": "Hi."})
ANNOTATION: dict[str, Any] = {
    "choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]
}
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
    "a thought in parts": (
        [
            chunk(
                {
                    "content": [
                        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                        {"type": "text", "text": "Hi."},
                    ]
                }
            )
        ],
        "Hi.",
    ),
    "a part is null": (
        [chunk({"content": [None, {"type": "text", "text": None}, {"type": "text", "text": "Hi."}]})],
        "Hi.",
    ),
    "content is a part": ([chunk({"content": {"type": "text", "text": "Hi."}})], "Hi."),
    "refusal": ([chunk({"refusal": "I will not."})], "I will not."),
    "reasoning": ([chunk({"reasoning_content": "Hm."}), HI], "Hi."),
    "delta and the whole (Perplexity)": (
        [{"choices": [{"delta": {"content": "Hi."}, "message": {"content": "Hi."}}]}],
        "Hi.",
    ),
    "message in a stream": ([{"choices": [{"message": {"content": "Hi."}}]}], "Hi."),
    "whole answer in a stream": (
        [{"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}],
        "Hi.",
    ),
    "comments": ([": keep-alive\n\n", HI, ":\n\n", STOP], "Hi."),
    "comment first": ([": OPENROUTER PROCESSING\n\n", HI], "Hi."),
    "no empty lines": ([f"data: {LINE}\ndata: {LINE}\n"], "Hi.Hi."),
    "no space": ([f"data:{LINE}\n\ndata:[DONE]\n\n"], "Hi."),
    "CR and LF": ([f"event: message\r\ndata: {LINE}\r\n\r\ndata: [DONE]\r\n\r\n"], "Hi."),
    "byte order mark": ([f"\ufeffdata: {LINE}\n\n"], "Hi."),
    "several lines of data": (
        ["".join(f"data: {line}\n" for line in json.dumps(HI, indent=1).split("\n")) + "\n"],
        "Hi.",
    ),
    "U+2028 as it is": (
        ["data: " + json.dumps(chunk({"content": "Hi.\u2028Hi."}), ensure_ascii=False) + "\n\n"],
        "Hi.\u2028Hi.",
    ),
    "no [DONE]": ([HI], "Hi."),
    "more after [DONE]": ([HI, "data: [DONE]\n\n", HI], "Hi."),
    "empty data": (["data:\n\n", HI, "data: \n\n"], "Hi."),
    "data that is no object": (["data: null\n\ndata: 7\n\n", HI], "Hi."),
    "error is null": ([{**HI, "error": None}], "Hi."),
    "no line end": ([f"data: {LINE}"], "Hi."),
    "nothing was said": ([chunk({"role": "assistant"}), STOP], ""),
}


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
    "brackets too deep": (JSON, b"[" * 100_000),
    "brackets too deep in a stream": events(HI, f"data: {'[' * 100_000}\n\n"),
    "content too deep": events(HI, f'data: {{"choices": {"[" * 100_000}{"]" * 100_000}}}\n\n'),
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
    with pytest.raises(EngineError, match="only its thoughts") as caught:
        answer(server)
    assert caught.value.code == "nothing_heard"


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
