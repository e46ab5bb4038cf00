"""ChatModel: what a language model looks like to the LLM stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.turn import CancelToken


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation. Roles as the chat template knows them: system, user, assistant."""

    role: str
    content: str


class ChatModel(Protocol):
    """The shared weights, or the way to a server."""

    name: str
    slots: int
    """How many calls may run at once."""

    def generate(self, messages: Sequence[ChatMessage], cancel: CancelToken) -> Iterator[str]:
        """The answer, piece by piece as it comes. Raises `EngineError`.

        When `cancel` is raised it should end soon; what it yields then is thrown away.
        """
        ...

    def close(self) -> None: ...
