"""TransformersArguments: flags of --llm transformers."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass
class TransformersArguments:
    """A model of the Hugging Face hub, or a folder, in this process."""

    _argument_group_name: ClassVar[str] = "--llm transformers"

    llm_model_name: str = field(
        default="HuggingFaceTB/SmolLM2-360M-Instruct",
        metadata={"help": "a model with a chat template: a name on the hub, or a folder"},
    )
    llm_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )
    llm_torch_dtype: Literal["auto", "float32", "float16", "bfloat16"] = field(
        default="auto", metadata={"help": "precision of the weights; auto: as they were saved"}
    )
    llm_gen_max_new_tokens: int = field(
        default=256, metadata={"help": "longest answer, in tokens: a minute and a half of speech"}
    )
    llm_gen_do_sample: bool = field(
        default=False, metadata={"help": "choose words by chance instead of the likeliest"}
    )
    llm_gen_temperature: float | None = field(
        default=None, metadata={"help": "how freely words are chosen, with llm_gen_do_sample"}
    )
