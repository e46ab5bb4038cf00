"""MLXLMArguments: flags of --llm mlx-lm."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.chat_model_flags import AnswerLength, LocalChatModel


@dataclass
class MLXLMArguments(AnswerLength, LocalChatModel):
    """A model for MLX, in this process."""

    _argument_group_name: ClassVar[str] = "--llm mlx-lm"

    llm_model_name: str = field(
        default="mlx-community/Qwen3-1.7B-4bit",
        metadata={"help": "a model with a chat template: a name on the hub, or a folder"},
    )
