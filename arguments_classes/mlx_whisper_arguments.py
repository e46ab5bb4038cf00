"""MlxWhisperArguments: flags of --stt mlx-whisper."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.recognizer_flags import WhisperLanguages


@dataclass
class MlxWhisperArguments(WhisperLanguages):
    """Whisper on Apple's MLX."""

    _argument_group_name: ClassVar[str] = "--stt mlx-whisper"

    stt_model_name: str = field(
        default="mlx-community/whisper-large-v3-turbo",
        metadata={"help": "a Whisper model in MLX's layout: a name on the hub, or a folder"},
    )
