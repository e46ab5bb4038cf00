"""ChatArguments: the memory of a conversation."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from LLM.chat import DEFAULT_PROMPT


@dataclass
class ChatArguments:
    """The instructions and the memory of the language model."""

    _argument_group_name: ClassVar[str] = "conversation"

    chat_size: int = field(
        default=10, metadata={"help": "exchanges to remember; one is a question and its answer"}
    )
    user_role: str = field(default="user", metadata={"help": "role of the user's messages"})
    init_chat_role: str | None = field(default="system", metadata={"help": "role of the first message"})
    init_chat_prompt: str = field(
        default=DEFAULT_PROMPT,
        metadata={
            "help": "instructions for the model, never forgotten; default: short, plain, spoken answers"
        },
    )

    def __post_init__(self) -> None:
        expect(self.chat_size >= 0, "chat_size", "0 or more exchanges", self.chat_size)
