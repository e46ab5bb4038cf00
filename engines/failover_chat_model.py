"""Several language models that act as one: `--llm openai,transformers`."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from engines.failover import Failover
from LLM.base import ChatModel
from LLM.conversation import only_words
from LLM.thoughts import Piece
from pipeline.engine_info import ChatModelInfo
from pipeline.messages import ChatMessage, Notice
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken


class FailoverChatModel(Failover[ChatModel]):
    """If there is no word within `first_output_s`, or an error, the next model answers.

    It takes tools if the first does; another that does not gets the conversation without them.
    """

    verb = "answers"

    @functools.cached_property
    def info(self) -> ChatModelInfo:
        """Info of the first model, which hears only if every model does."""
        hears = all(model.info.hears for model in self.engines)
        return replace(self.first.info, name=self._names(), hears=hears)

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer, all of it by one model."""

        def answer(model: ChatModel, cancel: CancelToken) -> Iterator[Piece]:
            if model.info.takes_tools:
                yield from model.generate(messages, cancel, tools, tool_choice)
                return
            if tools:
                yield Notice(
                    "tools_fallback", f"{model.info.name} cannot call functions; it answers without them"
                )
            yield from model.generate(only_words(messages), cancel)

        return self.stream(answer, cancel)
