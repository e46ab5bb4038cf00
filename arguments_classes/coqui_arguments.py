"""CoquiArguments: flags of --tts coqui."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class CoquiArguments:
    """Coqui TTS: many models of many makers, some of which clone a voice."""

    _argument_group_name: ClassVar[str] = "--tts coqui"

    tts_model_name: str = field(
        default="tts_models/multilingual/multi-dataset/xtts_v2",
        metadata={
            "help": "a name of Coqui TTS, such as tts_models/de/thorsten/vits, or a folder with a "
            "model.pth and its config.json; mind the licences: that of XTTS allows no commercial use"
        },
    )
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda or cpu; by default as --device says"}
    )
    tts_voice: str | None = field(
        default=None, metadata={"help": "a speaker of the model; by default its first"}
    )
    tts_language: str | None = field(
        default=None, metadata={"help": "language where the recognizer does not say one, such as de"}
    )
    tts_clone: str | None = field(
        default=None,
        metadata={
            "help": "a recording, of 3 to 30 s, of the voice to speak with (XTTS, YourTTS); the speaker "
            "must have consented"
        },
    )
