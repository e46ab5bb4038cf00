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
            "help": "model: tiny-en is built in; others, such as base-en, medium-streaming-en or "
            "base-ja, are downloaded when first used; or a folder"
        },
    )
