"""Answers in the responses protocol of servers that leave out or add events, and nonsense in both
protocols."""

import contextlib
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from LLM.openai_chat import OpenAIChatModel
from LLM.openai_responses import OpenAIResponsesModel
from pipeline.errors import EngineError
from pipeline.messages import CONTENT_FILTER, MAX_OUTPUT_TOKENS
from testing.chat_server import ChatServer, chunk, events
from testing.speech_server import SpeechServer
from tests.LLM.server_answers import ARGS, JSON, WEATHER, answer, calls, cut_off, d, words

ERROR = {"message": "A secret.", "code": 400}
HIGH, LOW = "\ud83d", "\ude00"


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with SpeechServer() as running:
        yield running


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
    "usual": (
        [
            r("created", response={}),
            delta("Hi"),
            delta("."),
            r("output_text.done", text="Hi.", output_index=0, item_id="m"),
            item("done", part("Hi."), 0),
            done(part("Hi.")),
        ],
        "Hi.",
        [],
    ),
    "no deltas": (
        [
            r("output_text.done", text="Hi.", output_index=0),
            item("done", part("Hi."), 0),
            done(part("Hi.")),
        ],
        "Hi.",
        [],
    ),
    "only items": (
        [item("added", part(""), 0), item("done", part("Hi."), 0), done(part("Hi."))],
        "Hi.",
        [],
    ),
    "only the end": ([done(part("Hi."), call_item())], "Hi.", [WEATHER]),
    "words, the call at the end": ([delta("Hi."), done(part("Hi."), call_item())], "Hi.", [WEATHER]),
    "words, two calls at the end": (
        [delta("Hi."), done(part("Hi."), call_item(), call_item(id="g", call_id="b"))],
        "Hi.",
        [WEATHER] * 2,
    ),
    "a call, the words at the end": (
        [item("added", call_item(""), 0), arguments(ARGS, 0), done(call_item(), part("Hi."))],
        "Hi.",
        [WEATHER],
    ),
    "a call, two messages at the end": (
        [item("done", call_item(), 0), done(call_item(), part("Hi."), {**part("Hi."), "id": "n"})],
        "Hi.Hi.",
        [WEATHER],
    ),
    "a call, its arguments at the end": ([BEGUN, done(part("Hi."), call_item())], "Hi.", [WEATHER]),
    "a call, with another id at the end": (
        [BEGUN, arguments(ARGS), done(call_item(id="g", call_id="b"))],
        "",
        [WEATHER],
    ),
    "all of it again": (
        [delta("Hi."), BEGUN, arguments(ARGS), done(part("Hi."), call_item())],
        "Hi.",
        [WEATHER],
    ),
    "a refusal": ([r("refusal.delta", delta="No.", output_index=0)], "No.", []),
    "a thought": (
        [
            r("reasoning_text.delta", delta="Hm."),
            item("added", {"type": "reasoning"}, 0),
            delta("Hi.", 1),
        ],
        "Hi.",
        [],
    ),
    "no index": ([delta("Hi.", None, None)], "Hi.", []),
    "delta is null": ([r("output_text.delta"), delta("Hi.")], "Hi.", []),
    "a call": (
        [
            BEGUN,
            arguments(ARGS[:8]),
            arguments(ARGS[8:]),
            r("function_call_arguments.done", arguments=ARGS, output_index=1, item_id="f"),
            item("done", call_item()),
            done(call_item()),
        ],
        "",
        [WEATHER],
    ),
    "a call without deltas": (
        [BEGUN, r("function_call_arguments.done", arguments=ARGS, output_index=1)],
        "",
        [WEATHER],
    ),
    "a call that comes at once": ([item("done", call_item())], "", [WEATHER]),
    "a call without index": ([item("added", call_item(""), None), arguments(ARGS, None)], "", [WEATHER]),
    "a call with its index once": ([BEGUN, arguments(ARGS, None)], "", [WEATHER]),
    "a call without call_id": (
        [item("added", call_item("", call_id=None)), arguments(ARGS)],
        "",
        [WEATHER],
    ),
    "a call without ids": (
        [item("added", call_item("", call_id=None, id=None)), arguments(ARGS, 1, None)],
        "",
        [WEATHER],
    ),
    "a call with an object": ([item("done", call_item({"city": "London"}))], "", [WEATHER]),
    "a call without arguments": (
        [item("added", call_item(None)), item("done", call_item(None))],
        "",
        [("weather", "{}")],
    ),
    "two calls in turns": (
        [
            BEGUN,
            item("added", call_item("", id="g", call_id="b"), 2),
            arguments(ARGS[:8]),
            arguments(ARGS[:8], 2, "g"),
            arguments(ARGS[8:]),
            arguments(ARGS[8:], 2, "g"),
        ],
        "",
        [WEATHER] * 2,
    ),
    "unknown events": (
        [r("queued"), r("output_item.added", item=None), {"type": 7}, {}, delta("Hi.")],
        "Hi.",
        [],
    ),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_events_of_the_responses_protocol(server: ChatServer, name: str) -> None:
    payloads, said, called = RESPONSES[name]
    server.bodies = [events(*payloads)]
    pieces = answer(server, kind=OpenAIResponsesModel)
    assert (words(pieces), calls(pieces), cut_off(pieces)) == (said, called, [])


ENDED = item("done", call_item(""))
MESSAGE_BEGUN = item("added", part(""), 2)
UNENDED: dict[str, tuple[list[Any], str]] = {
    "only begun": ([BEGUN], ""),
    "after a message": ([item("done", part("Hi."), 0), BEGUN], ""),
    "in the arguments": ([BEGUN, arguments(ARGS[:8])], ARGS[:8]),
    "whole arguments": ([BEGUN, arguments(ARGS)], ARGS),
    "done": ([BEGUN, ENDED], "{}"),
    "done, before a message": ([BEGUN, ENDED, MESSAGE_BEGUN], "{}"),
    "arguments done": (
        [BEGUN, r("function_call_arguments.done", arguments="", output_index=1)],
        "{}",
    ),
    "[DONE]": ([BEGUN, "data: [DONE]\n\n"], "{}"),
    **{f"response {kind}": ([BEGUN, done(kind=kind)], "{}") for kind in ("completed", "done")},
}


@pytest.mark.parametrize("name", UNENDED)
def test_arguments_are_completed_only_if_the_server_says_that_they_have_ended(
    server: ChatServer, name: str
) -> None:
    payloads, expected = UNENDED[name]
    server.bodies = [events(*payloads)]
    assert calls(answer(server, kind=OpenAIResponsesModel)) == [("weather", expected)]


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
