"""TransformersArguments: flags of --llm transformers."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from arguments_classes.local_chat_arguments import LocalChatArguments


@dataclass
class TransformersArguments(LocalChatArguments):
    """A model of the Hugging Face hub, or a folder, in this process."""

    _argument_group_name: ClassVar[str] = "--llm transformers"

    llm_model_name: str = field(
        default="Qwen/Qwen3-0.6B",
        metadata={
            "help": "a model with a chat template: a name on the hub, or a folder; on a GPU, for "
            "example, Qwen/Qwen3-4B-Instruct-2507 or microsoft/Phi-3-mini-4k-instruct"
        },
    )
    llm_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )
    llm_torch_dtype: Literal["auto", "float32", "float16", "bfloat16"] = field(
        default="auto", metadata={"help": "precision of the weights; auto: as they were saved"}
    )
    llm_parallel: int = field(
        default=1,
        metadata={
            "help": "answers at the same time, which share the model's work; each may have, with its "
            "question, 4096 tokens"
        },
    )
    llm_gen_max_new_tokens: int = field(
        default=256, metadata={"help": "longest answer, in tokens: a minute and a half of speech"}
    )
    llm_gen_do_sample: bool | None = field(
        default=None,
        metadata={
            "help": "choose words by chance instead of the likeliest; by default as the model's authors "
            "say"
        },
    )

    def __post_init__(self) -> None:
        expect(self.llm_parallel > 0, "llm_parallel", "1 or more", self.llm_parallel)
        most = self.llm_gen_max_new_tokens
        expect(most > 0, "llm_gen_max_new_tokens", "1 or more", most)
