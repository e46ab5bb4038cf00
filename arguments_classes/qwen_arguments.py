"""QwenArguments: flags of --tts qwen."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import SynthesizerDevice, SynthesizerPrecision


@dataclass
class QwenArguments(SynthesizerPrecision, SynthesizerDevice):
    """Qwen3-TTS: ten languages, speakers by name. Its models are on the Hugging Face hub."""

    _argument_group_name: ClassVar[str] = "--tts qwen"

    tts_model_name: str = field(
        default="Qwen/Qwen3-TTS-12Hz-0.6B-CustomVoice",
        metadata={"help": "model: a name on the hub that ends in CustomVoice, or a folder"},
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "voice, such as ryan, vivian or sohee; default: one for the language"},
    )
    tts_language: str | None = field(
        default=None,
        metadata={
            "help": "language to speak if the recognizer reports none; default: detected from the text"
        },
    )
    tts_style: str | None = field(
        default=None,
        metadata={"help": "manner of speaking, in words, for models of 1.7B (...-1.7B-CustomVoice)"},
    )
