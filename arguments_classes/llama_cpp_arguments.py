"""LlamaCppArguments: flags of --llm llama-cpp."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.chat_model_flags import AnswerLength, LocalChatModel
from arguments_classes.expect import expect


@dataclass
class LlamaCppArguments(AnswerLength, LocalChatModel):
    """A GGUF file, run by llama.cpp in this process."""

    _argument_group_name: ClassVar[str] = "--llm llama-cpp"

    llm_model_name: str = field(
        default="Qwen/Qwen3-0.6B-GGUF",
        metadata={"help": "model: a GGUF file with a chat template, or a name on the hub"},
    )
    llm_gguf: str = field(
        default="*Q8_0.gguf",
        metadata={"help": "file to take from a model on the hub: a name or a pattern"},
    )
    llm_device: str | None = field(
        default=None,
        metadata={
            "help": "device: cuda, mps or cpu, if xllamacpp was built for it; default: the one that "
            "--device selects"
        },
    )
    llm_context: int = field(
        default=4096,
        metadata={"help": "context: longest conversation with its answer, in tokens; more takes memory"},
    )
    llm_parallel: int = field(
        default=2,
        metadata={"help": "answers to generate at once; each takes memory for its own conversation"},
    )

    llm_cache_type: str = field(
        default="f16",
        metadata={
            "help": "number format of conversations in memory: f16, or q8_0, which takes half as much; "
            "not for every model"
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        types = ("f16", "q8_0")
        expect(self.llm_cache_type in types, "llm_cache_type", " or ".join(types), self.llm_cache_type)
        expect(self.llm_parallel > 0, "llm_parallel", "1 or more", self.llm_parallel)
        expect(self.llm_context >= 256, "llm_context", "256 or more tokens", self.llm_context)
