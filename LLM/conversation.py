"""Forms of a conversation for models whose chat templates demand an order of roles or have little room.

Conversations are lists of messages, of which the first may be a system message.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pipeline.messages import ChatMessage, Notice

SHORTENED = Notice(
    "conversation_shortened",
    "the conversation is longer than the language model can read, so its beginning was left out",
)


def only_words(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The conversation without function calls and their results."""
    return joined([ChatMessage(m.role, m.content) for m in messages if m.content and not m.answers])


def forms(messages: Sequence[ChatMessage], *, takes_system: bool) -> Iterator[list[ChatMessage]]:
    """The forms in which a template may take a conversation, the likeliest first.

    If the model knows no system role, the system message is put before the user's first one. At least
    one message is the user's, if need be an empty one; if the assistant speaks first, as with a
    greeting, some templates require an empty one before that.
    """
    head, rest = _split(messages)
    if head and not takes_system:
        rest = joined([replace(head[0], role="user"), *rest])
        head = []
    if not any(message.role == "user" for message in rest):  # the model speaks first, or to nothing
        rest = [ChatMessage("user", ""), *rest]
    yield [*head, *rest]
    if rest[0].role == "assistant":
        yield [*head, ChatMessage("user", ""), *rest]


def newest_that_fit(
    messages: Sequence[ChatMessage], fits: Callable[[list[ChatMessage]], bool]
) -> list[ChatMessage] | None:
    """The conversation without its oldest exchanges, as few as necessary to make it fit. The system
    message and the last exchange always stay; None if these alone are too long."""
    head, rest = _split(messages)
    starts = [0, *(at for at, message in enumerate(rest) if at and message.role == "user")]
    first = bisect_left(starts, True, key=lambda start: fits([*head, *rest[start:]]))
    return None if first == len(starts) else [*head, *rest[starts[first] :]]


def joined(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Join consecutive messages of one role: many templates require the roles to alternate."""
    together: list[ChatMessage] = []
    for message in messages:
        before = together[-1] if together else None
        if before is None or before.role != message.role or message.answers:
            together.append(message)
            continue
        content = "\n\n".join(filter(None, (before.content, message.content)))
        together[-1] = replace(message, content=content, calls=before.calls + message.calls)
    return together


def _split(messages: Sequence[ChatMessage]) -> tuple[list[ChatMessage], list[ChatMessage]]:
    head = list(messages[:1]) if messages and messages[0].role == "system" else []
    return head, list(messages[len(head) :])
