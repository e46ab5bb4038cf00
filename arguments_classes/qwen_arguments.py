"""QwenArguments: flags of --tts qwen."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass
class QwenArguments:
    """Qwen3-TTS: ten languages, speakers by name. Its models are on the Hugging Face hub."""

    _argument_group_name: ClassVar[str] = "--tts qwen"

    tts_model_name: str = field(
        default="Qwen/Qwen3-TTS-12Hz-0.6B-CustomVoice",
        metadata={"help": "a name on the hub that ends in CustomVoice, or a folder"},
    )
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda or cpu; by default as --device says"}
    )
    tts_torch_dtype: Literal["auto", "float32", "float16", "bfloat16"] = field(
        default="auto", metadata={"help": "precision of the weights; auto: as they were saved"}
    )
    tts_voice: str | None = field(
        default=None, metadata={"help": "such as ryan, vivian, sohee; by default by language"}
    )
    tts_language: str | None = field(
        default=None,
        metadata={"help": "language where the recognizer does not say one; by default by the words"},
    )
    tts_style: str | None = field(
        default=None,
        metadata={"help": "how it is said, in words; for models of 1.7B (...-1.7B-CustomVoice)"},
    )
