"""ServerQuestion: a question to a language model server, changed until the server accepts it."""

import json
import re
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from LLM.chat_template import MAX_ANSWER
from LLM.conversation import (
    RESULT_SHORTENED,
    SHORTENED,
    last_exchange,
    newest_that_fit,
    short_results,
)
from LLM.remedies import CHANGES, Form, Less, Remedy, is_bad_value, may_pass, refused_parameter, remedies
from pipeline.messages import ChatMessage, Notice
from pipeline.settings import NO_TOOL, Tool
from utils.openai_errors import Refusal

MAX_STEPS = 8
"""Limit of the changes to one question. The strictest template known has four demands, each of which it
states only when the one before is met; parameters come on top."""

_ALIASES: Final[Mapping[str, str]] = {"max_tokens": "max_completion_tokens"}
"""Name of a field ▶ the name for servers that reject the first: OpenAI's since o1. Older servers know
only the first."""

_LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")

_BYTES_A_TOKEN = 3
"""Cautious estimate for a conversation whose tokens the server has not counted: English has about four
bytes of UTF-8 per token, other languages two to four."""

_MARGIN = 0.9
"""Part of the room that is used: the rest of a conversation may have more tokens per byte."""

_OVERHEAD = 20
"""Bytes per message besides its content: the role, and the marks of the template."""

_SHARES = (4, 16)
"""The parts of the room that one result may take: a quarter or, if that is too long, a sixteenth."""

_LIMIT = re.compile(
    r"(?:context (?:length|size|window)|model length|max_seq_len|maximum|limit|allowed|<=|>)"
    r"\D{0,25}?(\d{3,})|(\d{3,}) maximum context"
)
"""The number of tokens that a model can read, as servers state it in errors."""

P = TypeVar("P")
Build: TypeAlias = Callable[[Sequence[ChatMessage], Sequence[Tool], str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Demands:
    """Everything that a server is known to refuse."""

    forms: frozenset[Form] = frozenset()
    without: frozenset[str] = frozenset()
    """Fields of the request that it does not accept."""
    room: int | None = None
    """Length of a conversation that it accepts, in tokens, by the limit that it states. The bytes per
    token are estimated for each question, or one conversation of hexadecimal numbers would shorten all
    others; so each question searches again for a limit that is not stated."""

    def __or__(self, other: "Demands") -> "Demands":
        rooms = [room for room in (self.room, other.room) if room is not None]
        return Demands(
            self.forms | other.forms, self.without | other.without, min(rooms) if rooms else None
        )


class KnownDemands:
    """The demands that a server has stated. Thread-safe. Only those that helped are kept: an error that
    quotes one user must not change the requests of others."""

    def __init__(self) -> None:
        self.latest = Demands()
        self._lock = threading.Lock()

    def add(self, demands: Demands) -> None:
        """Keep these demands, too."""
        with self._lock:
            self.latest |= demands


class ServerQuestion:
    """One question in the form that a server is expected to accept. After a refusal it is changed or
    shortened, if that may help, but never loses the system message or the user's last words."""

    def __init__(
        self,
        server: str,
        known: KnownDemands,
        build: Build,
        messages: Sequence[ChatMessage],
        tools: Sequence[Tool],
        tool_choice: str,
    ) -> None:
        """`server` names the server in notices; `build` makes the request."""
        self._server = server
        self._known = known
        self._build = build
        self._messages = messages
        self._tools = tools
        self._tool_choice = tool_choice
        self._before = self._demands = known.latest
        self._known_room = None if self._before.room is None else self._before.room * _BYTES_A_TOKEN
        self._room = self._known_room
        """Longest conversation that is sent, in bytes as `_length` counts them."""
        self._refused_history = ""
        """The reason why everything before the last words is left out; empty if it is not."""
        self._steps = 0
        self._asked_again = False
        self._reason: str | None = None
        """The latest reason for a refusal."""
        self._at_reason = self._demands
        """The demands when that reason was first given: if it is given again, the steps in between did
        not help."""
        self._refused: list[dict[str, Any]] = []
        """The requests that were refused."""
        self._update()

    def request(self) -> dict[str, Any]:
        """The fields of the request as it is now."""
        return dict(self._request)

    def answered(self, pieces: Iterable[P]) -> Generator[P | Notice, None, None]:
        """The answer to the request as it is now, after notices of the changes. The first piece shows
        that the server accepts it."""
        told = False
        for piece in pieces:
            if not told:
                yield from self._taken()
            told = True
            yield piece
        if not told:
            yield from self._taken()

    def refused(self, refusal: Refusal) -> bool:
        """Change the question after a refusal. Returns False if nothing more can be done."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            return False
        if may_pass(refusal) and not self._asked_again:
            self._asked_again = True
            return True
        self._refused.append(self._request)
        if refusal.reason != self._reason:
            self._reason, self._at_reason = refusal.reason, self._demands
        helps = remedies(refusal)
        if Less.LENGTH not in helps:  # a conversation may have to be shortened more than once
            if self._without_parameter(refusal):
                return True
            self._demands = self._at_reason
            self._update()
        return any(self._tried(remedy, refusal) for remedy in helps)

    def _tried(self, remedy: Remedy, refusal: Refusal) -> bool:
        """Apply a remedy. Returns False if it changes nothing."""
        if remedy is Less.LENGTH:
            return self._shorter(refusal)
        if remedy is Less.HISTORY:
            return self._only_the_end(refusal)
        if remedy is Less.TOOLS:
            without = self._demands.without | {"tools"}
            return bool(self._tools) and self._try(replace(self._demands, without=without))
        return self._try(replace(self._demands, forms=self._demands.forms | remedy))

    def _only_the_end(self, refusal: Refusal) -> bool:
        """Leave out everything before the user's last words, and undo all that did not help."""
        if self._refused_history:
            return False
        before = self._before
        self._at_reason = replace(self._demands, forms=before.forms, without=before.without)
        return self._try(self._at_reason, refusal.reason or "no reason given")

    def _without_parameter(self, refusal: Refusal) -> bool:
        name = refused_parameter(refusal, list(self._request))
        if name is None:
            return False
        names = {name, _ALIASES.get(name, name)} if is_bad_value(refusal) else {name}
        return self._try(replace(self._demands, without=self._demands.without | names))

    def _shorter(self, refusal: Refusal) -> bool:
        """Make room for the conversation. If the answer alone may take more than half of what the model
        can read, the limit of its length is left out instead."""
        most, counted = _limit_and_count(refusal)
        answer = max((self._request.get(name) or 0 for name in _LENGTHS), default=0)
        if most and answer > most // 2:
            names = self._demands.without | set(_LENGTHS)
            return self._try(replace(self._demands, without=names))
        sent = self._length(self._sent)
        room, tokens = sent // 2, self._demands.room
        if most:
            tokens = int((most - min(answer or MAX_ANSWER, most // 2)) * _MARGIN)
            room = int(tokens * (sent / counted if counted > most else _BYTES_A_TOKEN))
        # A server that refuses again counts differently than it says.
        again = self._room != self._known_room
        room = min(room, sent // 2 if again else int(sent * _MARGIN))
        return self._try(replace(self._demands, room=tokens), room=room)

    def _try(self, demands: Demands, history: str = "", room: int | None = None) -> bool:
        """Apply these demands. Returns False, and changes nothing, if the request that they lead to was
        refused before."""
        before = self._demands, self._refused_history, self._room
        self._demands = demands
        self._room = self._room if room is None else room
        self._refused_history = history or self._refused_history
        self._update()
        if self._request not in self._refused:
            return True
        self._demands, self._refused_history, self._room = before
        self._update()
        return False

    def _update(self) -> None:
        self._notices: list[Notice] = []
        without = self._demands.without
        choice_refused = "tool_choice" in without and self._tool_choice == NO_TOOL
        tools = () if "tools" in without or choice_refused else self._tools
        if self._tools and "tools" in without:
            text = f"{self._server} cannot call functions; it answers without them"
            self._notices.append(Notice("tools_fallback", text))
        self._sent = self._conversation()
        fields = self._build(self._changed(self._sent), tools, self._tool_choice)
        left_out = []
        for name in sorted(without & fields.keys()):
            value, alias = fields.pop(name), _ALIASES.get(name)
            if alias is not None and alias not in without:
                fields[alias] = value
            else:
                left_out.append(name)
        if left_out:
            text = f"requests are sent without {', '.join(left_out)}, which {self._server} rejects"
            self._notices.append(Notice("parameter_left_out", text))
        self._request = fields

    def _conversation(self) -> list[ChatMessage]:
        """The part of the conversation that is sent."""
        messages = list(self._messages)
        if self._refused_history:
            messages = last_exchange(messages)
            text = f"{self._server} refuses the conversation, so only its end was sent"
            self._notices.append(Notice("conversation_refused", f"{text} ({self._refused_history})"))
        room = self._room
        if room is None or self._length(messages) <= room:
            return messages
        for share in _SHARES:
            cut = short_results(messages, room // share)
            fitting = newest_that_fit(cut, lambda part: self._length(part) <= room)
            if fitting is not None:
                break
        else:
            fitting = last_exchange(cut)  # the shortest possible: let the server decide
        if cut != messages:
            self._notices.append(RESULT_SHORTENED)
        if len(fitting) < len(cut):
            self._notices.append(SHORTENED)
        return fitting

    def _changed(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """The messages in the form that the server requires."""
        changed = list(messages)
        without_tools = {Form.WORDS_ONLY} if "tools" in self._demands.without else set()
        for form in Form:
            if form in self._demands.forms | without_tools:
                changed = CHANGES[form](changed)
        return changed

    def _taken(self) -> list[Notice]:
        """Keep the demands that helped. Returns the notices of the changes."""
        if self._refused_history:  # the cause was this conversation alone
            return self._notices
        if (room := self._demands.room) is not None:
            taken = self._length(self._sent) // _BYTES_A_TOKEN
            self._demands = replace(self._demands, room=max(room, taken))
        self._known.add(self._demands)
        new = [form.value for form in Form if form in self._demands.forms - self._before.forms]
        if new:
            text = f"{self._server} takes {', and '.join(new)}, so the conversation is sent in that form"
            self._notices.append(Notice("conversation_adapted", text))
        return self._notices

    def _length(self, messages: Sequence[ChatMessage]) -> int:
        """Length of the messages and of the functions, in bytes of UTF-8."""
        texts = [message.content for message in messages]
        texts += [call.arguments for message in messages for call in message.calls]
        texts += [f"{tool.name}{tool.description}{json.dumps(tool.parameters)}" for tool in self._tools]
        return sum(len(text.encode(errors="replace")) + _OVERHEAD for text in texts)


def _limit_and_count(refusal: Refusal) -> tuple[int, int]:
    """The number of tokens that the model can read, and that of the conversation; 0 if the server does
    not say."""
    numbers = refusal.numbers or {}
    if "n_ctx" in numbers:  # llama.cpp
        return numbers["n_ctx"], numbers.get("n_prompt_tokens", 0)
    text = refusal.message.casefold().replace(",", "")
    found = _LIMIT.search(text)
    limit = int(found[1] or found[2]) if found else 0
    return limit, max(map(int, re.findall(r"\d{3,}", text)), default=0)
