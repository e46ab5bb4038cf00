"""Remedies: changes that may help when a server refuses a conversation, chosen by its message."""

import enum
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from LLM.conversation import (
    alternating,
    only_words,
    short_ids,
    system_first,
    user_first,
    user_last,
    without_system,
)
from pipeline.messages import ChatMessage
from utils.openai_errors import Refusal


class Form(enum.Enum):
    """A server's demand on the form of a conversation, worded for a notice. The changes are made in this
    order."""

    WORDS_ONLY = "no function calls in a conversation"
    SHORT_IDS = "only function calls with ids of nine letters and digits"
    SYSTEM_FIRST = "system messages only at the beginning"
    NO_SYSTEM = "no system messages"
    ALTERNATING = "only messages of user and assistant in turn"
    USER_FIRST = "only conversations that the user begins"
    USER_LAST = "only conversations that end with the user"


CHANGES: Final[Mapping[Form, Callable[[Sequence[ChatMessage]], list[ChatMessage]]]] = {
    Form.WORDS_ONLY: only_words,
    Form.SHORT_IDS: short_ids,
    Form.SYSTEM_FIRST: system_first,
    Form.NO_SYSTEM: without_system,
    Form.ALTERNATING: alternating,
    Form.USER_FIRST: user_first,
    Form.USER_LAST: user_last,
}


class Less(enum.Enum):
    """A part of the request that may be left out."""

    LENGTH = enum.auto()
    """Long results of functions, then the oldest exchanges."""
    TOOLS = enum.auto()
    """The functions."""
    HISTORY = enum.auto()
    """Everything before the user's last words."""


Remedy: TypeAlias = frozenset[Form] | Less


def _forms(*forms: Form) -> frozenset[Form]:
    return frozenset(forms)


_WORDS_ONLY = _forms(Form.WORDS_ONLY, Form.ALTERNATING)
_NO_SYSTEM = _forms(Form.NO_SYSTEM, Form.ALTERNATING)
_IN_TURN = _forms(Form.ALTERNATING, Form.USER_FIRST)
_STRICT = _IN_TURN | _forms(Form.SYSTEM_FIRST, Form.USER_LAST)
_STRICTEST = _STRICT | _WORDS_ONLY | _NO_SYSTEM

_RULES: Final[Sequence[tuple[str, Sequence[Remedy]]]] = (
    # Mistral and vLLM; OpenAI, which takes 40 characters
    (
        r"tool.?call.?id.*(length|a-z|alphanumeric)|(call_|\.|tool.?call.?)ids?\b.*too long",
        [_forms(Form.SHORT_IDS)],
    ),
    # "maximum context length", "exceed_context_size_error", "prompt is too long", "reduce the length", …
    (
        r"context.?(length|size|window)|maximum model length|(max_model|max_seq)_len|"
        r"(prompt|inputs?|request|messages?)\W.{0,40}too (long|large)|too many (input )?tokens|"
        r"token count.{0,30}exceeds|reduce the length|number of tokens|inputs. tokens|array too long",
        [Less.LENGTH],
    ),
    # Ollama, vLLM without --enable-auto-tool-choice, llama.cpp without --jinja, OpenRouter, Gemini
    (
        r"not support (tools?|functions?)\b|(tools?|functions?)( use| calling| call| choice)?\W{1,3}"
        r"(is |are )?(not (supported|enabled|available)|unsupported|requires)|support tool use|"
        r"tools param|cannot use tools|enable.auto.tool.choice|"
        r"un(supported|known|recogni[sz]ed) [^.]{0,40}\btools\b(?!\[)",
        [Less.TOOLS, _forms(Form.WORDS_ONLY)],
    ),
    # Qwen; "Unexpected role 'system' after role 'user'" of Mistral
    (
        r"system.{0,40}(beginning|first|start\b)|(beginning|first|start)\b.{0,40}system|"
        r"unexpected role .?system.? after",
        [_forms(Form.SYSTEM_FIRST), _NO_SYSTEM],
    ),
    # Gemma, the first Mistral, OpenAI's o1-mini, Gemini
    (
        r"(system|developer) (role|message|instruction|prompt)s?\W.{0,40}not |"
        r"(not support|unsupported|unexpected|unknown|invalid|got)\W.{0,60}\bsystem\b|"
        r"only user and assistant",
        [_NO_SYSTEM, _WORDS_ONLY, _NO_SYSTEM | _WORDS_ONLY],
    ),
    # Llama 2, Mistral, Gemma, Claude, Perplexity
    (
        r"alternat|in a row|consecutive",
        [
            _IN_TURN,
            _IN_TURN | _forms(Form.SYSTEM_FIRST),
            # A template without a system role refuses the first question, before there are calls.
            _IN_TURN | _forms(Form.SYSTEM_FIRST, Form.WORDS_ONLY),
            _IN_TURN | _NO_SYSTEM,
            _IN_TURN | _NO_SYSTEM | _WORDS_ONLY,
        ],
    ),
    # Qwen ("No user query found"), Claude, Gemini ("contents is not specified"), an empty conversation
    (
        r"no user|first (message|turn|content|role).{0,40}user|(start|begin) with.{0,30}user|"
        r"at least one|contents? (is|are) (required|not specified|missing)|empty array|too short",
        [_forms(Form.USER_FIRST), _IN_TURN | _forms(Form.USER_LAST)],
    ),
    # Mistral ("Expected last role User or Tool"), Perplexity, transformers, llama.cpp
    (
        r"last (message|role|turn)|end with|prefill|continue_final_message|at the end of the list",
        [_forms(Form.USER_LAST)],
    ),
)
"""Pattern of a server's message ▶ what may help, the likeliest first. Each is tried alone."""

_VAGUE_RULES: Final[Sequence[tuple[str, Sequence[Remedy]]]] = (
    # Roles and calls in an order that is not accepted
    (
        r"\brole|tool.?call|tool.?(use|result)|function.?(call|response)",
        [_forms(Form.ALTERNATING), _STRICT, _WORDS_ONLY, _NO_SYSTEM, _STRICTEST],
    ),
    # An exception of the chat template that names no reason
    (r"template|jinja", [_STRICT, _WORDS_ONLY, _NO_SYSTEM, _STRICTEST]),
)
"""Rules for other messages. An internal error of a server may match them by chance."""

_FAILED_GENERATION = re.compile(r"tool_use_failed|failed.generation|failed to (call|parse)")
"""Errors about what the model wrote, which another attempt may avoid: Groq, llama.cpp."""

_BAD_REQUEST = (400, 413, 422)
"""Statuses of errors that the conversation may have caused although the server does not say so. A
content filter, for example, may refuse words from long ago."""

_OTHERS_FAULT = (401, 403)
"""Statuses of errors that no other request would avoid."""

_RATE_LIMIT = 429
"""Status of an error that only fewer requests would avoid, or a shorter one if it is "too large"."""

_NOT_TAKEN = re.compile(
    r"unsupported|not (be )?support|unknown|unrecogni[sz]ed|unexpected|not permitted|forbidden|extra |"
    r"not allowed|not enabled|invalid|cannot|does not take|deprecated|must be|too large|maximum allowed"
)

_NEVER_LEFT_OUT = ("model", "messages", "input")


def remedies(refusal: Refusal) -> list[Remedy]:
    """Possible remedies for a refused conversation, the likeliest first."""
    text = _text(refusal)
    if refusal.status in _OTHERS_FAULT or (refusal.status == _RATE_LIMIT and "too large" not in text):
        return []
    found: list[Remedy] = [Less.LENGTH] if refusal.status == 413 else []
    found += _matching(text, _RULES) or _matching(text, _VAGUE_RULES)
    if found or refusal.status in _BAD_REQUEST:
        found.append(Less.HISTORY)
    return found


def may_pass(refusal: Refusal) -> bool:
    """True if the same request may succeed: the model wrote something that the server could not read, or
    the server broke down without a clear reason."""
    text = _text(refusal)
    if _FAILED_GENERATION.search(text):
        return True
    broken = refusal.status is not None and refusal.status >= 500
    return broken and not _matching(text, _RULES) and bool(_matching(text, _VAGUE_RULES))


def refused_parameter(refusal: Refusal, sent: Sequence[str]) -> str | None:
    """The field that the server does not accept, among those that were sent. Never the functions: one of
    them may have a mistake, which the client must be told."""
    if refusal.status in (*_OTHERS_FAULT, _RATE_LIMIT):
        return None
    optional = [name for name in sent if name not in _NEVER_LEFT_OUT]
    named = re.split(r"[.\[]", refusal.param)[0]
    if named in optional:
        return named if named != "tools" else None
    text = _text(refusal)
    broken = refusal.status is not None and refusal.status >= 500
    if broken or named in _NEVER_LEFT_OUT or not _NOT_TAKEN.search(text):
        return None
    places = {name: re.search(rf"(?<![\w.]){name}(?!\w)", text) for name in optional if name != "tools"}
    found = [(place.start(), name) for name, place in places.items() if place]
    return min(found)[1] if found else None


def is_bad_value(refusal: Refusal) -> bool:
    """True if the server accepts the field, but not its value."""
    return (
        re.search(r"too (large|small)|value\b|range|at (most|least)|must be|maximum", _text(refusal))
        is not None
    )


def _matching(text: str, rules: Sequence[tuple[str, Sequence[Remedy]]]) -> list[Remedy]:
    return next((list(helps) for said, helps in rules if re.search(said, text)), [])


def _text(refusal: Refusal) -> str:
    return f"{refusal.code} {refusal.param} {refusal.message}".casefold()
