"""Answers of servers that speak the OpenAI protocols, whole or in pieces, translated to our pieces.

Many servers deviate from the protocol, so nothing is taken for granted: a field may be
missing, null, or of another type.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol

from LLM.calls import Calls
from LLM.payloads import DONE
from LLM.thoughts import Piece, no_words
from pipeline.errors import EngineError
from pipeline.messages import CONTENT_FILTER, MAX_OUTPUT_TOKENS, CutOff
from pipeline.words import WellFormedPieces

_REASONS = {
    **dict.fromkeys(("length", "max_tokens", "MAX_TOKENS", "model_length"), MAX_OUTPUT_TOKENS),
    **dict.fromkeys(("content_filter", "content-filter", "SAFETY", "sensitive"), CONTENT_FILTER),
    **{reason: reason for reason in (MAX_OUTPUT_TOKENS, CONTENT_FILTER)},
}
"""A server's finish reason ▶ ours. Others, such as "stop", end complete answers."""

_FAILURES = ("error", "network_error", "insufficient_system_resource")
"""Finish reasons of servers that failed in mid-answer."""

_END = (
    *("response.function_call_arguments.done", "response.output_item.done"),
    *("response.completed", "response.incomplete", "response.done", DONE["type"]),
)
"""Events of the responses protocol that end an item or the answer."""

_REASONING = ("reasoning_content", "reasoning", "reasoning_text")


class AnswerReader(Protocol):
    """Reads the answer to one question."""

    def read(self, payload: Mapping[str, Any]) -> Iterator[Piece]:
        """Read the next JSON object that the server sends."""
        ...

    def end(self) -> Iterator[Piece]:
        """Yield the rest at the end. Raises `NothingHeard` if the model only thought, `ValueError` if
        nothing that came was an answer."""
        ...


class _Reader:
    """The common part of both protocols. `functions`: the names that the model may call."""

    def __init__(self, functions: Collection[str] = ()) -> None:
        self._calls = Calls(functions)
        self._words = WellFormedPieces()
        self._is_answer = self._spoke = self._thought = False
        self._cut_off = ""
        self._ended = False
        """True if the server said in any way that the answer, or its last item, is over. If it did not,
        the connection may have broken."""

    def end(self) -> Iterator[Piece]:
        """Yield the rest at the end."""
        if not self._is_answer:
            raise ValueError("expected an answer")
        yield from self._said(self._words.rest())
        yield from self._calls.end(cut_off=bool(self._cut_off) or not self._ended)
        if self._cut_off:
            yield CutOff(self._cut_off)
        elif self._thought and not self._spoke and not len(self._calls):
            raise no_words()

    def _say(self, content: Any) -> Iterator[str]:
        """Yield the words of `content`: a text, or a list of parts."""
        yield from self._said(self._words.add("".join(_words(content))))

    def _said(self, words: str) -> Iterator[str]:
        if words:
            self._spoke = True
            yield words

    def _ends(self, reason: Any) -> None:
        """Note the finish reason, if one is given."""
        if reason in _FAILURES:
            raise EngineError("the language model failed in mid-answer; ask again")
        if isinstance(reason, str):
            self._ended = self._ended or bool(reason)
            self._cut_off = _REASONS.get(reason, "")


class ChatAnswer(_Reader):
    """An answer of the chat protocol: each payload is a chunk, or the whole answer."""

    def read(self, payload: Mapping[str, Any]) -> Iterator[Piece]:
        """Read a chunk, or a whole answer."""
        self._ended = self._ended or payload is DONE
        choices = payload.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        delta, message = choice.get("delta"), choice.get("message")
        is_chunk = isinstance(delta, Mapping)
        piece = delta if is_chunk else message
        if isinstance(piece, Mapping):
            self._is_answer = True
            self._ended = self._ended or not is_chunk
            yield from self._say(piece.get("content"))
            yield from self._say(piece.get("refusal"))
            self._thought = self._thought or any(piece.get(name) for name in _REASONING)
            yield from self._calls.read(piece.get("tool_calls"), whole=not is_chunk)
        self._ends(choice.get("finish_reason"))


class ResponsesAnswer(_Reader):
    """An answer of the responses protocol: each payload is an event, or the whole answer.

    Servers leave out some of the events, so text that did not come in pieces is read from the event that
    ends a part, an item or the response.
    """

    def __init__(self, functions: Collection[str] = ()) -> None:
        super().__init__(functions)
        self._index_of: dict[str, object] = {}
        """Id of an item ▶ its index."""
        self._read: set[object] = set()
        """The items whose words were read."""

    def read(self, payload: Mapping[str, Any]) -> Iterator[Piece]:
        """Read an event, or a whole response."""
        index, kind = self._index(payload), payload.get("type")
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                self._is_answer = True
                self._read.add(index)
                yield from self._say(payload.get("delta"))
            case "response.output_text.done" | "response.refusal.done":
                yield from self._say_once(index, payload.get("text") or payload.get("refusal"))
            case "response.function_call_arguments.delta":
                yield from self._calls.add(index, "", "", payload.get("delta"))
            case "response.function_call_arguments.done" if not self._calls.has_arguments(index):
                yield from self._calls.add(index, "", payload.get("name"), payload.get("arguments"))
            case "response.output_item.added" | "response.output_item.done":
                yield from self._read_item(index, payload.get("item"))
            case "response.completed" | "response.incomplete" | "response.done":
                yield from self._read_response(payload.get("response"))
            case str() if kind.startswith("response.reasoning"):
                self._thought = True
            case None if "output" in payload:
                yield from self._read_response(payload)
                self._ended = True
        self._ended = self._ended or kind in _END

    def _index(self, payload: Mapping[str, Any]) -> object:
        """The index of the item that an event names, by index or by id."""
        item = payload.get("item")
        id = item.get("id") if isinstance(item, Mapping) else payload.get("item_id")
        index = payload.get("output_index")
        if isinstance(id, str):
            index = self._index_of.setdefault(id, id if index is None else index)
        return index if isinstance(index, (int, str)) else None

    def _read_item(self, index: object, item: Any) -> Iterator[Piece]:
        """Read the unread part of an item; when it is added, it may be empty."""
        if not isinstance(item, Mapping):
            return
        self._is_answer = True
        match item.get("type"):
            case "message":
                if any(_words(item.get("content"))):
                    yield from self._say_once(index, item.get("content"))
            case "reasoning":
                self._thought = True
            case "function_call":
                self._ended = False
                arguments = "" if self._calls.has_arguments(index) else item.get("arguments")
                id = item.get("call_id") or item.get("id")
                yield from self._calls.add(index, id, item.get("name"), arguments)

    def _read_response(self, response: Any) -> Iterator[Piece]:
        """Read the rest of a whole response. If there were words, all messages were read; if there were
        calls, all of them, except the arguments of calls known by their ids."""
        if not isinstance(response, Mapping):
            return
        self._is_answer = True
        output = response.get("output")
        spoke, called = self._spoke, bool(len(self._calls))
        for index, item in enumerate(output if isinstance(output, list) else ()):
            match item:
                case {"type": "function_call", "id": str(id)} if id in self._index_of:
                    yield from self._read_item(self._index_of[id], item)
                case {"type": "message"} if spoke:
                    pass
                case {"type": "function_call"} if called:
                    pass
                case _:
                    yield from self._read_item(index, item)
        details = response.get("incomplete_details")
        if isinstance(details, Mapping):
            self._ends(details.get("reason"))

    def _say_once(self, index: object, content: Any) -> Iterator[str]:
        self._is_answer = True
        if index not in self._read:
            self._read.add(index)
            yield from self._say(content)


def _words(content: Any) -> Iterator[str]:
    """The words of `content`: a text, a part, or a list of these. Parts of other kinds are the model's
    thoughts."""
    match content:
        case str():
            yield content
        case list():
            for part in content:
                yield from _words(part)
        case {"type": "text" | "output_text", "text": str(text)} | {"refusal": str(text)}:
            yield text
