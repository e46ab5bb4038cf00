"""KittenArguments: flags of --tts kitten."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class KittenArguments:
    """KittenTTS speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts kitten"

    tts_model_name: str = field(
        default="KittenML/kitten-tts-nano-0.2",
        metadata={"help": "a name on the hub, of release 0.1 or 0.2, or a folder"},
    )
    tts_voice: str = field(
        default="expr-voice-2-f", metadata={"help": "expr-voice-2 to expr-voice-5, each with -m or -f"}
    )
    tts_speed: float = field(default=1.0, metadata={"help": "0.5 (slow) to 2 (fast)"})

    def __post_init__(self) -> None:
        expect(0.5 <= self.tts_speed <= 2, "tts_speed", "0.5 to 2", self.tts_speed)
