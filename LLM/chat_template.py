"""ChatTemplate: a conversation in the form that a model was trained to read, cut to the length that it
can read."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jinja2

from LLM.thoughts import OPEN
from pipeline.errors import EngineError, UserError
from pipeline.messages import ChatMessage, Notice

MAX_ANSWER = 256
"""Default limit of an answer, in tokens: a minute and a half of speech."""

_REFUSED = (jinja2.TemplateError, ValueError)
"""Exceptions of a template that does not take a conversation."""

_FORGOTTEN = Notice(
    "conversation_shortened",
    "the conversation is longer than the language model can read, so its beginning was left out",
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The tokens that the model reads."""

    tokens: list[int]
    in_thought: bool
    """True if the template has opened a thought with which the model goes on."""
    shortened: bool

    def opening(self) -> Iterator[str | Notice]:
        """The output of an engine before the first word of the model."""
        if self.shortened:
            yield _FORGOTTEN
        if self.in_thought:
            yield OPEN


class ChatTemplate:
    """Renders conversations with the template of a model.

    If the model knows no system role, which is tested once, the system message is put in front of the
    user's first message. Calls of functions and their results are left out. If a conversation is too
    long, its oldest exchanges are left out, but never the system message or the last message.
    """

    def __init__(
        self,
        model_name: str,
        render: Callable[[list[dict[str, str]]], str],
        encode: Callable[[str], list[int]],
        *,
        context: int,
        answer: int,
    ) -> None:
        """`context`: number of tokens that the model can hold; `answer`: number of tokens that an answer
        may take, of which it gets at most half of the context."""
        self._name = model_name
        self._render = render
        self._encode = encode
        self._room = context - min(answer, context // 2)
        self._takes_system = self._shows_system()

    def prompt(self, messages: Sequence[ChatMessage]) -> Prompt:
        """The prompt for the answer to these messages. Raises `EngineError` where the latest exchange
        alone is too long, or the template does not take such a conversation."""
        said = _joined([(m.role, m.content) for m in messages if m.content and not m.answers])
        head = said[:1] if said and said[0][0] == "system" else []
        rest = said[len(head) :]
        starts = [0, *(at for at, (role, _) in enumerate(rest) if at and role == "user")]
        text, tokens = self._written(head, rest)
        if len(tokens) <= self._room:
            return Prompt(tokens, text.rstrip().endswith(OPEN), False)
        first = bisect_left(
            starts, True, key=lambda start: len(self._written(head, rest[start:])[1]) <= self._room
        )
        start = starts[min(first, len(starts) - 1)]
        text, tokens = self._written(head, rest[start:])
        if len(tokens) > self._room:
            raise EngineError(
                f"{self._name} reads at most {self._room} tokens; the last message has {len(tokens)}",
                "too_long",
            )
        return Prompt(tokens, text.rstrip().endswith(OPEN), True)

    def _written(
        self, head: list[tuple[str, str]], rest: list[tuple[str, str]]
    ) -> tuple[str, list[int]]:
        if head and not self._takes_system:
            rest = _joined([("user", head[0][1]), *rest])
            head = []
        said = [*head, *rest]
        if not any(role == "user" for role, _ in said):  # the model speaks first, or to nothing
            said = [*head, ("user", ""), *rest]
        try:
            text = self._render(_plain(said))
        except _REFUSED as error:
            if rest and rest[0][0] == "assistant":  # as after a greeting; some want the user to begin
                return self._written(head, [("user", ""), *rest])
            raise EngineError(
                f"the chat template of {self._name} does not take this conversation: {error}"
            ) from error
        return text, self._encode(text)

    def _shows_system(self) -> bool:
        """True if the template shows a system message; some refuse it, and some leave it out."""
        mark = "system-message"
        try:
            return mark in self._render(_plain([("system", mark), ("user", "Hello.")]))
        except _REFUSED:
            return False


def no_chat_template(model_name: str) -> UserError:
    """The error for a model that was not trained for conversations."""
    return UserError(f"--llm_model_name {model_name}: it has no chat template; choose an instruct model")


def _plain(said: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in said]


def _joined(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join messages of one role in a row: many templates want the roles to take turns."""
    joined: list[tuple[str, str]] = []
    for role, content in said:
        if joined and joined[-1][0] == role:
            content = f"{joined.pop()[1]}\n\n{content}"
        joined.append((role, content))
    return joined
