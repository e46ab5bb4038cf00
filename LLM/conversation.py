"""Forms of a conversation for models that require an order of roles or have little room: models in this
process, whose chat templates are asked, and servers, which say what they refuse.

Conversations are lists of messages, of which the first may be a system message.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pipeline.messages import ChatMessage, Notice

SHORTENED = Notice(
    "conversation_shortened",
    "the conversation is longer than the language model can read, so its beginning was left out",
)

RESULT_SHORTENED = Notice(
    "result_shortened",
    "the result of a function is longer than the language model can read, so its end was left out",
)

BEGIN, GO_ON = "(Begin.)", "(Go on.)"
"""The user's message where a server requires one and the user has said nothing: before the first answer,
or after the latest. They fit a greeting, a reminder, and instructions for a single answer."""

_NO_ANSWER = "…"
"""The answer between a function's result and the user's next words, if it was never heard."""

_ID_LENGTH = 9
"""Mistral takes only call ids of nine letters and digits."""


def only_words(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The conversation without function calls and their results."""
    words = [replace(message, calls=()) for message in messages if not message.answers]
    return joined([message for message in words if message.content or message.audio])


def forms(messages: Sequence[ChatMessage], *, takes_system: bool) -> Iterator[list[ChatMessage]]:
    """The forms in which a template may take a conversation, the likeliest first.

    If the model knows no system role, the system message is put before the user's first one. At least
    one message is the user's, if need be an empty one; if the assistant speaks first, as with a
    greeting, some templates require an empty one before that.
    """
    if not takes_system:
        messages = without_system(messages)
    head, rest = _split(messages)
    if not any(message.role == "user" for message in rest):  # the model speaks first, or to nothing
        rest = [ChatMessage("user", ""), *rest]
    yield [*head, *rest]
    if rest[0].role == "assistant":
        yield user_first(messages, "")


def newest_that_fit(
    messages: Sequence[ChatMessage], fits: Callable[[list[ChatMessage]], bool]
) -> list[ChatMessage] | None:
    """The conversation without its oldest exchanges, as few as necessary to make it fit. The system
    message and the last exchange always stay; None if these alone are too long."""
    starts = _starts(messages)
    first = bisect_left(starts, True, key=lambda start: fits(_since(messages, start)))
    return None if first == len(starts) else _since(messages, starts[first])


def last_exchange(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The system message, and the conversation from the user's last words on."""
    return _since(messages, _starts(messages)[-1])


def short_results(messages: Sequence[ChatMessage], most: int) -> list[ChatMessage]:
    """The conversation with each function's result cut to `most` bytes of UTF-8, and a mark where the
    rest was."""
    return [_short_result(message, most) if message.answers else message for message in messages]


def system_first(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The conversation with all system messages joined into one, at the beginning."""
    system = [message for message in messages if message.role == "system"]
    return [*joined(system), *joined([message for message in messages if message.role != "system"])]


def without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The conversation with system messages as the user's, joined to what the user says next."""
    return joined([replace(m, role="user") if m.role == "system" else m for m in messages])


def alternating(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The conversation with user and assistant in turn; calls and results do not count as turns."""
    turns: list[ChatMessage] = []
    for message in joined(messages):
        if message.role == "user" and turns and turns[-1].answers:
            turns.append(ChatMessage("assistant", _NO_ANSWER))
        turns.append(message)
    return turns


def user_first(messages: Sequence[ChatMessage], words: str = BEGIN) -> list[ChatMessage]:
    """The conversation, begun by the user: with `words` if need be."""
    head, rest = _split(messages)
    begun = [] if rest and rest[0].role == "user" else [ChatMessage("user", words)]
    return [*head, *begun, *rest]


def user_last(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The conversation, ended so that it can be answered: by the user's words or a function's result."""
    ended = messages and messages[-1].role in ("user", "tool")
    return [*messages, *([] if ended else [ChatMessage("user", GO_ON)])]


def short_ids(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The conversation with call ids of nine letters and digits."""
    return [
        replace(
            message,
            calls=tuple(replace(call, id=_short_id(call.id)) for call in message.calls),
            answers=message.answers and _short_id(message.answers),
        )
        for message in messages
    ]


def joined(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Join consecutive messages of one role: many templates require the roles to alternate."""
    together: list[ChatMessage] = []
    for message in messages:
        before = together[-1] if together else None
        if before is None or before.role != message.role or message.answers:
            together.append(message)
            continue
        content = "\n\n".join(filter(None, (before.content, message.content)))
        calls, audio = before.calls + message.calls, message.audio or before.audio
        together[-1] = replace(message, content=content, calls=calls, audio=audio)
    return together


def _starts(messages: Sequence[ChatMessage]) -> list[int]:
    """Indexes at which the exchanges of a conversation begin."""
    first = len(_split(messages)[0])
    users = (at for at, message in enumerate(messages) if at > first and message.role == "user")
    return [first, *users]


def _since(messages: Sequence[ChatMessage], start: int) -> list[ChatMessage]:
    """The conversation from `start` on. System messages stay, since they say how to behave."""
    return [*joined([m for m in messages[:start] if m.role == "system"]), *messages[start:]]


def _short_result(message: ChatMessage, most: int) -> ChatMessage:
    data = message.content.encode(errors="replace")
    mark = f" [{len(data) - most} bytes are left out here: they are too long for this model.]"
    if len(data) <= most + len(mark):
        return message
    return replace(message, content=data[:most].decode(errors="ignore") + mark)


def _short_id(id: str) -> str:
    return hashlib.sha256(id.encode(errors="replace")).hexdigest()[:_ID_LENGTH]


def _split(messages: Sequence[ChatMessage]) -> tuple[list[ChatMessage], list[ChatMessage]]:
    head = list(messages[:1]) if messages and messages[0].role == "system" else []
    return head, list(messages[len(head) :])
