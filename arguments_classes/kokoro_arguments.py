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
            "help": "file to take from the model: a name or a pattern. The default has 8 bits a weight; "
            "onnx/model_fp16.onnx has 16 (163 MB), onnx/model.onnx 32 (326 MB)"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice, such as af_heart, bm_george, ef_dora or hf_alpha; the first letter is the "
            "language; default: one for the language, af_heart for English"
        },
    )
