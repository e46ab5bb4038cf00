"""MLXLMArguments: flags of --llm mlx-lm."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.local_chat_arguments import LocalChatArguments


@dataclass
class MLXLMArguments(LocalChatArguments):
    """A model for MLX, in this process."""

    _argument_group_name: ClassVar[str] = "--llm mlx-lm"

    llm_model_name: str = field(
        default="mlx-community/Qwen3-1.7B-4bit",
        metadata={"help": "a model with a chat template: a name on the hub, or a folder"},
    )
    llm_gen_max_tokens: int = field(
        default=256, metadata={"help": "longest answer, in tokens: a minute and a half of speech"}
    )

    def __post_init__(self) -> None:
        expect(self.llm_gen_max_tokens > 0, "llm_gen_max_tokens", "1 or more", self.llm_gen_max_tokens)
