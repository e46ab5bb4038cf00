"""WhisperMlxArguments: flags of --stt whisper-mlx."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from arguments_classes.recognizer_flags import WhisperLanguages


@dataclass
class WhisperMlxArguments(WhisperLanguages):
    """Lightning Whisper on Apple's MLX."""

    _argument_group_name: ClassVar[str] = "--stt whisper-mlx"

    stt_model_name: str = field(
        default="distil-large-v3",
        metadata={
            "help": "model: tiny, small, medium, large-v3, distil-large-v3 (English only) and so on, or "
            "a folder"
        },
    )
    stt_batch_size: int = field(
        default=6,
        metadata={"help": "30-second pieces of a long recording to recognize in one batch"},
    )
    stt_quantization: Literal["none", "4bit", "8bit"] = field(
        default="none", metadata={"help": "smaller weights, slightly less accurate"}
    )

    def __post_init__(self) -> None:
        expect(self.stt_batch_size >= 1, "stt_batch_size", "1 or more", self.stt_batch_size)
