"""ChatServerArguments: flags of --llm auto, which any language model server understands."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.chat_model_flags import Words
from arguments_classes.expect import expect


@dataclass
class ChatServerArguments(Words):
    """A language model server that the program looks for on this machine."""

    _argument_group_name: ClassVar[str] = "--llm auto"

    llm_model_name: str | None = field(
        default=None, metadata={"help": "model; default: the first that a local server lists"}
    )
    llm_stream: bool = field(default=True, metadata={"help": "receive the answer word by word"})
    llm_timeout_s: float = field(
        default=60.0,
        metadata={"help": "longest wait for the first word, and between two words, in seconds"},
    )
    llm_retries: int = field(
        default=2,
        metadata={"help": "retries, with back-off, of a request that fails before the first word"},
    )
    llm_gen_max_tokens: int | None = field(default=None, metadata={"help": "longest answer, in tokens"})

    def __post_init__(self) -> None:
        expect(self.llm_timeout_s > 0, "llm_timeout_s", "more than 0 seconds", self.llm_timeout_s)
        most = self.llm_gen_max_tokens
        expect(most is None or most > 0, "llm_gen_max_tokens", "1 or more", most)
        expect(self.llm_retries >= 0, "llm_retries", "0 or more", self.llm_retries)
