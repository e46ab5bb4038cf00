"""A language model server whose answers are random nonsense: the forms that servers have been seen to
send, in random order, with random ends."""

import json
import socket
import threading
from random import Random
from typing import Any

from testing.chat_server import ChatHandler, ChatServer

HOSTILE, SANE = "hostile", "sane"
"""The first word of a question; its number follows."""

PLAIN = ("Yes", "No", "nine")
NOT_READ_ALOUD = ("```", "<think>", "</think>", "<tool_call>", "<|im_end|>")
"""Marks after which words may rightly be left out."""

WORDS = (
    "Yes. ", "No. ", "It is nine. ", "2*3 = 6. ", "Nice ", "so ", "```", "\n", "`x` ", "<b>Hi</b> ",
    "<think>", "</think>", "<|im_end|>", "[Bob]: Yes! ", "**", "$5 ", "你好 ", "\ud83d", "\ude00",
    "\ud83d\ude00", "\u0000", " ", "", "incomprehensible ", "<tool_call>", "|", "&amp; ", "# ",
)  # fmt: skip
ARGUMENTS = ('{"x": 1}', '{"x"', "", None, {"x": 1}, "\ud83d", "[", 5, '{"x": "\\ud83d"}')
ENDS = ("stop", "length", "content_filter", "tool_calls", None, "", "eos", 7)
ERRORS: tuple[Any, ...] = (
    {"error": {"message": "no", "code": "bad"}}, {"error": "no"}, {"detail": "no"},
    {"detail": [{"msg": 1}]}, {"message": "no"}, {"object": "error", "message": "no"}, [], "no", None,
)  # fmt: skip


class HostileModel(ChatServer):
    """Answers a hostile question with nonsense, and a sane one with a sentence that contains its number.
    The same seed gives the same answers to the same questions."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.poisoned: list[str] = []
        """Faults in the requests: things that a server would refuse."""
        self.spoke: set[int] = set()
        """Numbers of the questions whose answers had plain words, to be read aloud."""
        self.one_reply = threading.Lock()
        self._lock = threading.Lock()
        super().__init__()

    @property
    def handler(self) -> type[ChatHandler]:
        """The class that handles requests."""
        return _HostileHandler

    def inspect(self, messages: list[dict[str, Any]]) -> None:
        """Record the parts of a conversation that a server would refuse."""
        for message in messages:
            for call in message.get("tool_calls", ()):
                try:
                    json.loads(call["function"]["arguments"])
                except (TypeError, ValueError):
                    with self._lock:
                        self.poisoned.append("a call whose arguments are no JSON")
            try:
                json.dumps(message, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                with self._lock:
                    self.poisoned.append("half a character")


class _HostileHandler(ChatHandler):
    script: HostileModel

    def answer(self, request: dict[str, Any]) -> None:
        self.script.inspect(request["messages"])
        asked = [m["content"] for m in request["messages"] if m["role"] == "user"]
        kind, number = str(asked[-1]).splitlines()[-1].split()
        if kind == SANE:
            with self.script.one_reply:
                self.script.reply = f"The answer is {number}."
                super().answer(request)
            return
        chance = Random(f"{self.script.seed} {number}")
        match chance.choice(("stream",) * 7 + ("whole", "error", "page")):
            case "stream":
                self._nonsense(chance, int(number))
            case "whole":
                self.send_json({"choices": [{"index": 0, "message": _delta(chance)}]})
            case "error":
                self._whole(
                    json.dumps(chance.choice(ERRORS)).encode(), chance.choice((400, 404, 422, 500))
                )
            case "page":
                self._whole(
                    b"<html><body>Bad gateway</body></html>", chance.choice((200, 502)), "text/html"
                )

    def _nonsense(self, chance: Random, number: int) -> None:
        chunks = [_chunk(chance) for _ in range(chance.randrange(8))]
        chance.shuffle(chunks)
        written = "".join(map(_words_of, chunks))
        if any(word in written for word in PLAIN) and not any(
            mark in written for mark in NOT_READ_ALOUD
        ):
            self.script.spoke.add(number)
        if not self.begin("text/event-stream"):
            return
        for chunk in chunks:
            self.write(chunk)
        match chance.randrange(6):
            case 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            case 1:
                self.write(b'data: {"choices": [{"ind')
            case 2:
                pass
            case _:
                self.write(b"data: [DONE]\n\n")
        self.write(b"")

    def _whole(self, body: bytes, status: int, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _chunk(chance: Random) -> bytes:
    """A line of a stream; most have a few words or a piece of a call."""
    choice = {"index": 0, "delta": _delta(chance), "finish_reason": chance.choice((None,) * 6 + ENDS)}
    match chance.randrange(16):
        case 0:
            del choice["delta"]
        case 1:
            choice["delta"] = None
        case 2:
            return b": keep alive\n\n"
        case 3:
            return b"event: ping\ndata: {}\n\n"
        case 4:
            return b'data: {"choices": ' + chance.choice((b"[]", b"null", b"{}", b"[null]")) + b"}\n\n"
        case 5:
            return b"data: " + json.dumps(chance.choice(ERRORS)).encode() + b"\n\n"
        case 6:
            return b"data: {no json\n\n"
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def _words_of(chunk: bytes) -> str:
    """The words of a chunk that follows the protocol."""
    try:
        content = json.loads(chunk.removeprefix(b"data: "))["choices"][0]["delta"]["content"]
    except (ValueError, LookupError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def _delta(chance: Random) -> dict[str, Any]:
    """The words, or the pieces of calls, of a chunk or of a message."""
    words = "".join(chance.choices(WORDS, k=chance.randrange(1, 4)))
    match chance.randrange(12):
        case 0:
            return {"content": [{"type": "text", "text": words}]}
        case 1:
            return {"content": chance.choice((None, 5, {}, [], ["x"], True))}
        case 2:
            return {
                "role": "assistant",
                "content": None,
                "tool_calls": chance.choice((None, [], {}, [None])),
            }
        case 3 | 4:
            return {
                "content": None,
                "tool_calls": [_call(chance) for _ in range(chance.randrange(1, 3))],
            }
        case 5:
            return {"reasoning_content": words}
        case 6:
            return {"content": words, "tool_calls": [_call(chance)]}
    return {"content": words}


def _call(chance: Random) -> dict[str, Any]:
    """A piece of a call, of which any part may be missing."""
    function = {
        "name": chance.choice(("look", "look", "look", "", None, 3)),
        "arguments": chance.choice(ARGUMENTS),
    }
    call: dict[str, Any] = {
        "index": chance.choice((0, 0, 1, None)),
        "id": chance.choice(("call_1", "call_2", "", None, 4)),
    }
    call["function"] = chance.choice((function,) * 6 + (None, {}))
    for place in (call, function):
        for name in list(place):
            if chance.random() < 0.15:
                del place[name]
    return call
