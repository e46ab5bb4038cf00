"""KokoroTorchArguments: flags of --tts kokoro-torch."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import SpeakingSpeed, SynthesizerDevice, UsualLanguage


@dataclass
class KokoroTorchArguments(SpeakingSpeed, SynthesizerDevice, UsualLanguage):
    """Kokoro speech synthesis on torch."""

    _argument_group_name: ClassVar[str] = "--tts kokoro-torch"

    tts_model_name: str = field(
        default="hexgrad/Kokoro-82M", metadata={"help": "model: a name on the hub, or a folder"}
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice, such as af_heart, bm_george or hf_alpha (first letter: the language); "
            "default: one for the language"
        },
    )
