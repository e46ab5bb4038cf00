"""Refusal: the error with which an OpenAI-compatible server declines a request."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

MAX_TOLD = 200
"""Limit of a server's message in errors and logs, in characters: two sentences."""

_MAX_READ = 4000
"""Limit of the part of a server's message that is read, in characters; some quote the whole request."""

_MAX_DEPTH = 5
"""Limit of errors nested in errors, as proxies send them."""

_LONGEST_WORD = 40
"""A longer word is a key, a hash or encoded audio."""

_LONGEST_WITH_DIGITS = 15
"""A longer word with a digit in it is a key, or the name of an account: those of OpenAI's organizations
have 24 characters. Codes of errors have no digits, and names of models are of several words."""

_CUTS = ("…", "...", "***")
"""Marks of what a server leaves out of a quote."""

_OF_THE_KEY = (401, 403)
"""Statuses of errors whose messages may quote the key."""

_ARE_SAID = ("messages", "input", "instructions", "prompt")
"""Fields of a request that hold the words of a conversation."""

_GENERAL = frozenset(
    re.findall(
        r"\w+",
        """
    a about above access account active add additional after against all allowed alternate alternating
    an and any api are argument arguments array as assistant at audio available bad base64 be because
    been before begin beginning best better billing body both budget but by call called calling calls
    can cannot change chat check chunk chunks code completion completions configured connect connection
    consecutive contact contain contains content contents context conversation could count create
    credit current data decode decoder default deprecated detail details developer did disabled do does
    duplicate each either empty enable enabled encode encoding end ends engine error exceed exceeded
    exceeds exception expected extra failed false field fields file filter find first following for
    forbidden format found from function functions generate generation given greater had has have
    however if image in include increase index input inputs instead instruction instructions integer
    internal into invalid is it item items its jinja json key large last least length less limit list
    load loaded long longer look make malformed many match max maximum may message messages method
    minimum missing model models more most must name necessary need needs neither new next no non none
    nor not null number object of on one only option optional or order other out output over param
    parameter parameters parse part parts pass passed per permitted please policy position preceding
    prefill prefix processing prompt property provide provided query quota range rate reached read
    reasoning received reduce refused rejected remove repeated request requested requests require
    required requires response result resulted results retry role roles row same sample schema second
    see send sent sequence server service should single size small some speech start starts status stop
    stream streaming string strings style successive support supported supports system take tell
    template text than that the their them then there these they this those time to token tokens too
    tool tools total true try turn turns type under unexpected unknown unmatched unrecognized
    unsupported until up upstream usage use used user using valid validation value values verified
    version voice was way we were when where which while will window with within without word would
    wrong you your
    """,
    )
)
"""Common words of server errors, which reveal nothing about a user who said them, too."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The parts of a server's error that explain it."""

    status: int | None
    """HTTP status; None if the error came in mid-answer."""
    code: str = ""
    """Machine-readable code, such as "context_length_exceeded"."""
    param: str = ""
    """Path of the field at fault, such as "messages[3].content"."""
    message: str = ""
    """The server's message, without words that were said in the conversation, and without keys."""
    numbers: Mapping[str, int] | None = None
    """Other numeric fields of the error, such as llama.cpp's `n_ctx`."""

    @classmethod
    def of(cls, error: openai.APIError) -> "Refusal":
        """The refusal that an SDK error holds."""
        found = list(_errors(error.body, 0))
        code = _first(one.get("code") for one in found) or _first(one.get("type") for one in found)
        param = _first(map(_param, found))
        message = "; ".join(dict.fromkeys(filter(None, (_message(one) for one in found))))
        numbers = {
            name: value
            for one in found
            for name, value in one.items()
            if isinstance(value, int) and name != "code"
        }
        status = getattr(error, "status_code", None)
        said = _words_said(error.request) | _words_of_key(error.request)
        if status in _OF_THE_KEY:
            message = ""
        return cls(
            status if isinstance(status, int) else None,
            _without_said(code, said)[:80],
            _without_said(param, said)[:80],
            _without_said(message, said),
            numbers,
        )

    @property
    def reason(self) -> str:
        """Code, field and message in one line for users and logs; may be empty."""
        head = f"{self.code} ({self.param})" if self.code and self.param else self.code or self.param
        return ": ".join(filter(None, (head, _short(self.message, MAX_TOLD).rstrip("."))))


def _errors(body: object, depth: int) -> Iterator[dict[str, Any]]:
    """Every error in the body of an answer, the outermost first. The forms are those of OpenAI, vLLM,
    Mistral, FastAPI, Gemini (a list), Ollama (a string), Cloudflare and OpenRouter (a proxy, whose
    errors contain those of others)."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(body, str):
        text = body.strip()
        if text.startswith(("{", "[")):
            try:
                yield from _errors(json.loads(text), depth + 1)
            except ValueError:
                yield {"message": text}
        else:
            yield {"message": "an HTML page" if text.startswith("<") else text}
    elif isinstance(body, list):
        for one in body[:3]:
            yield from _errors(one, depth + 1)
    elif isinstance(body, Mapping):
        metadata = body.get("metadata")
        inner = [body.get(name) for name in ("error", "errors", "detail", "message", "msg")]
        inner.append(metadata.get("raw") if isinstance(metadata, Mapping) else None)
        yield {**body, "message": ""}
        for part in inner:
            if part:
                yield from _errors(part, depth + 1)


def _message(error: Mapping[str, Any]) -> str:
    return " ".join(_short(str(error["message"]), _MAX_READ).split())


def _param(error: Mapping[str, Any]) -> str:
    """The field at fault: OpenAI's `param`, or FastAPI's `loc`."""
    place = error.get("param")
    if isinstance(error.get("loc"), list):
        steps = [step for step in error["loc"] if step != "body"]
        path = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
        place = "".join(path).lstrip(".")
    return place if isinstance(place, str) else ""


def _first(values: Iterator[object]) -> str:
    """The first value that is a word; some servers repeat the HTTP status as the code."""
    return next((v for v in values if isinstance(v, str) and v and not v.isdecimal()), "")


def _words_said(request: httpx2.Request) -> set[str]:
    """The words of the conversation in a request."""
    try:
        body = json.loads(request.content)
    except (ValueError, httpx2.RequestNotRead):  # a file with speech
        return set()
    fields = body if isinstance(body, Mapping) else {}
    texts = (text for name in _ARE_SAID for text in _texts(fields.get(name)))
    return {word for text in texts for word in _words(text)}


def _words_of_key(request: httpx2.Request) -> set[str]:
    _, _, key = request.headers.get("Authorization", "").partition(" ")
    return _words(key)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold())) - _GENERAL


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _without_said(text: str, said: set[str]) -> str:
    """The text of an error with "…" for each run of words that were said, or are secret.

    Servers quote what they refuse: whole, cut off, or escaped. To show only known sentences would be
    safer, but would lose the reason of all other errors; so every single word is looked up. Only the
    common words of errors stay even if they were said. If words outside ASCII were said, all such words
    are left out, since not every script has spaces between its words.
    """
    beyond_ascii = not all(word.isascii() for word in said)
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    text = re.sub(r"\\+[nrtbf\"'/\\]", " ", text)

    def kept(match: re.Match[str]) -> str:
        word = match[0].casefold()
        around = text[max(match.start() - 3, 0) : match.start()] + text[match.end() : match.end() + 3]
        cut_off = any(cut in around for cut in _CUTS) and any(word in whole for whole in said)
        known = word in said or (beyond_ascii and not word.isascii())
        secret = known or _is_secret(word) or (cut_off and word not in _GENERAL)
        return "…" if secret else match[0]

    return re.sub(r"…(?:[^\w…]*…)+", "…", re.sub(r"\w+", kept, text))


def _is_secret(word: str) -> bool:
    most = _LONGEST_WITH_DIGITS if any(map(str.isdigit, word)) else _LONGEST_WORD
    return len(word) > most


def _short(text: str, most: int) -> str:
    """The text without its middle if it is longer than `most` characters: llama.cpp first quotes a
    template, and gives the reason last."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"
