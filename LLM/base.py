"""ChatModel: the interface of a language model to the LLM stage."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from LLM.thoughts import Piece
from pipeline.engine_info import ChatModelInfo
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken


class ChatModel(Protocol):
    """The shared weights, or a connection to a server."""

    @property
    def info(self) -> ChatModelInfo: ...

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer, piece by piece as it comes; if the model calls a function, pieces of the
        arguments, each with the id and the name of the call. An answer that is cut off ends with a
        `CutOff`. Raises `EngineError`.

        When `cancel` is raised it should end soon; its further output is discarded.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class ReadingChatModel(ChatModel, Protocol):
    """A model that caches the prompt that it has read, and can read ahead of a question."""

    def read(self, messages: Sequence[ChatMessage], cancel: CancelToken) -> None:
        """Read the beginning of a conversation; its last message may be incomplete. Raises
        `EngineError`.

        Stops soon after `cancel`, which the model itself calls when it is asked to answer the same
        conversation.
        """
        ...


@runtime_checkable
class JudgingChatModel(ChatModel, Protocol):
    """A model that can also judge whether a sentence is over, without loading its weights again."""

    def sentence_judge(self) -> Any:
        """A `SentenceJudge` of the VAD stage."""
        ...
