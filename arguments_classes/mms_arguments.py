"""MmsArguments: flags of --tts mms."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class MmsArguments:
    """Meta's MMS speech synthesis: a model for each language."""

    _argument_group_name: ClassVar[str] = "--tts mms"

    tts_model_name: str = field(
        default="facebook/mms-tts-",
        metadata={
            "help": "what stands before the code of the language in the names of the models, on the "
            "hub or on this disk (facebook/mms-tts- ▶ facebook/mms-tts-tel)"
        },
    )
    tts_language: str = field(
        default="en",
        metadata={"help": "language where the recognizer does not say one, such as te; loaded at start"},
    )
    tts_speed: float = field(default=1.0, metadata={"help": "0.5 (slow) to 2 (fast)"})
    tts_seed: int | None = field(
        default=None, metadata={"help": "a number: the same text always sounds the same"}
    )
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )

    def __post_init__(self) -> None:
        expect(0.5 <= self.tts_speed <= 2, "tts_speed", "0.5 to 2", self.tts_speed)
