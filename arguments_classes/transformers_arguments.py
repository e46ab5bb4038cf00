"""TransformersArguments: flags of --llm transformers."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.chat_model_flags import LocalChatModel
from arguments_classes.expect import expect
from arguments_classes.flag_texts import DEVICE, PRECISION, Precision


@dataclass
class TransformersArguments(LocalChatModel):
    """A model from the Hugging Face hub or a folder, in this process."""

    _argument_group_name: ClassVar[str] = "--llm transformers"

    llm_model_name: str = field(
        default="Qwen/Qwen3-0.6B",
        metadata={
            "help": "a model with a chat template, such as Qwen/Qwen3-4B-Instruct-2507: a name on the "
            "hub, or a folder"
        },
    )
    llm_device: str | None = field(default=None, metadata={"help": DEVICE})
    llm_torch_dtype: Precision = field(default="auto", metadata={"help": PRECISION})
    llm_parallel: int = field(
        default=1,
        metadata={
            "help": "answers to generate at the same time; each conversation has room for 4096 tokens"
        },
    )
    llm_gen_max_new_tokens: int = field(
        default=256,
        metadata={"help": "longest answer, in tokens; 256 tokens are a minute and a half of speech"},
    )
    llm_gen_do_sample: bool | None = field(
        default=None,
        metadata={
            "help": "draw words at random instead of taking the likeliest; default: as the model's "
            "authors chose"
        },
    )

    def __post_init__(self) -> None:
        expect(self.llm_parallel > 0, "llm_parallel", "1 or more", self.llm_parallel)
        most = self.llm_gen_max_new_tokens
        expect(most > 0, "llm_gen_max_new_tokens", "1 or more", most)
