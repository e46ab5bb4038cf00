"""MlxWhisperArguments: flags of --stt mlx-whisper."""

from dataclasses import dataclass, field
from typing import ClassVar

from STT.spoken_language import LANGUAGE_HELP, LANGUAGES_HELP, USUAL


@dataclass
class MlxWhisperArguments:
    """Whisper on Apple's MLX."""

    _argument_group_name: ClassVar[str] = "--stt mlx-whisper"

    stt_model_name: str = field(
        default="mlx-community/whisper-large-v3-turbo",
        metadata={"help": "a Whisper model in MLX's layout: a name on the hub, or a folder"},
    )
    stt_language: str = field(default="en", metadata={"help": LANGUAGE_HELP})
    stt_languages: str = field(default=USUAL, metadata={"help": LANGUAGES_HELP})
