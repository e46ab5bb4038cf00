"""KittenArguments: flags of --tts kitten."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import SpeakingSpeed


@dataclass
class KittenArguments(SpeakingSpeed):
    """KittenTTS speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts kitten"

    tts_model_name: str = field(
        default="KittenML/kitten-tts-nano-0.2",
        metadata={"help": "model: a name on the hub, of release 0.1 or 0.2, or a folder"},
    )
    tts_voice: str = field(
        default="expr-voice-2-f",
        metadata={"help": "voice: expr-voice-2 to expr-voice-5, each with -m or -f"},
    )
