"""LlamaCppArguments: flags of --llm llama-cpp."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.local_chat_arguments import LocalChatArguments


@dataclass
class LlamaCppArguments(LocalChatArguments):
    """A GGUF file, by llama.cpp in this process."""

    _argument_group_name: ClassVar[str] = "--llm llama-cpp"

    llm_model_name: str = field(
        default="Qwen/Qwen3-0.6B-GGUF",
        metadata={"help": "a GGUF file with a chat template, or a name on the hub"},
    )
    llm_gguf: str = field(
        default="*Q8_0.gguf", metadata={"help": "which file of a model of the hub: a name or a pattern"}
    )
    llm_device: str | None = field(
        default=None,
        metadata={"help": "cuda, mps or cpu; by default as --device says, if it was compiled for that"},
    )
    llm_context: int = field(
        default=4096, metadata={"help": "longest conversation with its answer, in tokens; costs memory"}
    )
    llm_gen_max_tokens: int = field(
        default=256, metadata={"help": "longest answer, in tokens: a minute and a half of speech"}
    )

    def __post_init__(self) -> None:
        expect(self.llm_context >= 256, "llm_context", "256 or more tokens", self.llm_context)
        expect(self.llm_gen_max_tokens > 0, "llm_gen_max_tokens", "1 or more", self.llm_gen_max_tokens)
