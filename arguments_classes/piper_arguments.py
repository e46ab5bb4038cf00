"""PiperArguments: flags of --tts piper."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import SpeakingSpeed, UsualLanguage


@dataclass
class PiperArguments(SpeakingSpeed, UsualLanguage):
    """Piper speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts piper"

    tts_model_name: str | None = field(
        default=None,
        metadata={
            "help": "source of the voices: a name on the hub, or a folder; default: built in (English), "
            "or rhasspy/piper-voices"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice, such as en_US-lessac-medium or te_IN-padmavathi-medium; default: one for "
            "the language"
        },
    )
