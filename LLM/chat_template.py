"""ChatTemplate: a conversation in the form that a model was trained to read, cut to the length that it
can read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jinja2

from LLM.conversation import SHORTENED, forms, newest_that_fit, only_words
from LLM.thoughts import opened_in
from pipeline.errors import EngineError, UserError
from pipeline.messages import ChatMessage, Notice

MAX_ANSWER = 256
"""Default limit of an answer, in tokens: a minute and a half of speech."""

_REFUSED = (jinja2.TemplateError, ValueError)
"""Exceptions of a template that does not take a conversation."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The tokens that the model reads."""

    tokens: list[int]
    opened: str
    """Mark of a thought that the template has opened and the model continues; else empty."""
    shortened: bool

    def opening(self) -> Iterator[str | Notice]:
        """The output of an engine before the first word of the model."""
        if self.shortened:
            yield SHORTENED
        if self.opened:
            yield self.opened


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
        said = only_words(messages)
        text, tokens = self._written(said)
        if shortened := len(tokens) > self._room:
            fitting = newest_that_fit(said, lambda part: len(self._written(part)[1]) <= self._room)
            if fitting is None:
                raise too_long(self._name, self._room)
            text, tokens = self._written(fitting)
        return Prompt(tokens, opened_in(text), shortened)

    def _written(self, messages: list[ChatMessage]) -> tuple[str, list[int]]:
        for form in forms(messages, takes_system=self._takes_system):
            try:
                text = self._render(_plain(form))
            except _REFUSED as error:
                refused = error
            else:
                return text, self._encode(text)
        raise EngineError(
            f"the chat template of {self._name} does not take this conversation: {refused}"
        ) from refused

    def _shows_system(self) -> bool:
        """True if the template shows a system message; some refuse it, and some leave it out."""
        mark = "system-message"
        conversation = [ChatMessage("system", mark), ChatMessage("user", "Hello.")]
        try:
            return mark in self._render(_plain(conversation))
        except _REFUSED:
            return False


def no_chat_template(model_name: str) -> UserError:
    """The error for a model that was not trained for conversations."""
    return UserError(f"--llm_model_name {model_name}: it has no chat template; choose an instruct model")


def too_long(model_name: str, room: int) -> EngineError:
    """The error for a message that leaves no room for an answer."""
    return EngineError(
        f"{model_name} reads at most {room} tokens; the last message is longer than that", "too_long"
    )


def _plain(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
