"""MoonshineArguments: flags of --stt moonshine."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class MoonshineArguments:
    """Moonshine speech recognition."""

    _argument_group_name: ClassVar[str] = "--stt moonshine"

    stt_model_name: str = field(
        default="tiny-en",
        metadata={
            "help": "model: tiny-en (built in), another such as base-en, medium-streaming-en or base-"
            "ja, or a folder"
        },
    )
