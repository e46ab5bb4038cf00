"""PiperArguments: flags of --tts piper."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class PiperArguments:
    """Piper speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts piper"

    tts_model_name: str = field(
        default="rhasspy/piper-voices",
        metadata={
            "help": "where the voices are: a name on the hub, or a folder with .onnx and .onnx.json"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "such as en_US-lessac-medium, te_IN-padmavathi-medium; by default by language"
        },
    )
    tts_language: str = field(
        default="en", metadata={"help": "language where the recognizer does not say one"}
    )
    tts_speed: float = field(default=1.0, metadata={"help": "0.5 (slow) to 2 (fast)"})

    def __post_init__(self) -> None:
        expect(0.5 <= self.tts_speed <= 2, "tts_speed", "0.5 to 2", self.tts_speed)
