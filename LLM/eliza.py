"""Eliza: a stand-in that needs no model, after Weizenbaum's program of 1966, as NLTK carries it."""

from collections.abc import Iterator, Sequence

from nltk.chat.eliza import eliza_chatbot

from pipeline.engine_info import ChatModelInfo
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken

INTRODUCTION = "I am Eliza, a stand-in for a language model. "


class ElizaModel:
    """Turns what the user said into a question; introduces itself at the start of each conversation."""

    info = ChatModelInfo(name="eliza", slots=4, languages=("en",))

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str]:
        """Answer the last message."""
        if cancel.cancelled:
            return
        if not any(message.role == "assistant" for message in messages):
            yield INTRODUCTION
        said = messages[-1].content.strip().rstrip(".!?") if messages else ""
        answer = eliza_chatbot.respond(said)
        yield answer[:1].upper() + answer[1:]

    def close(self) -> None:
        """Nothing to free."""
