"""KokoroArguments: flags of --tts kokoro."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import SpeakingSpeed, UsualLanguage


@dataclass
class KokoroArguments(SpeakingSpeed, UsualLanguage):
    """Kokoro speech synthesis on the CPU."""

    _argument_group_name: ClassVar[str] = "--tts kokoro"

    tts_model_name: str = field(
        default="onnx-community/Kokoro-82M-v1.0-ONNX",
        metadata={"help": "model: a name on the hub, or a folder, with an .onnx file and voices"},
    )
    tts_onnx: str = field(
        default="onnx/model_quantized.onnx",
        metadata={
            "help": "file of the model, a name or a pattern; onnx/model_fp16.onnx (163 MB) is more exact"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice, such as af_heart, bm_george or hf_alpha (first letter: the language); "
            "default: one for the language"
        },
    )
