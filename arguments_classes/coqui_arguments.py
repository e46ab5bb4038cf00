"""CoquiArguments: flags of --tts coqui."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import OptionalLanguage, SynthesizerDevice


@dataclass
class CoquiArguments(SynthesizerDevice, OptionalLanguage):
    """Coqui TTS: many models of many makers, some of which clone a voice."""

    _argument_group_name: ClassVar[str] = "--tts coqui"

    tts_model_name: str = field(
        default="tts_models/multilingual/multi-dataset/xtts_v2",
        metadata={
            "help": "model of Coqui TTS, such as tts_models/de/thorsten/vits, or a folder; the "
            "default's license allows no commercial use"
        },
    )
    tts_voice: str | None = field(
        default=None, metadata={"help": "speaker of the model; default: its first"}
    )
    tts_clone: str | None = field(
        default=None,
        metadata={
            "help": "recording, 3 to 30 s, of a voice to imitate (XTTS, YourTTS); the speaker must have "
            "consented"
        },
    )
