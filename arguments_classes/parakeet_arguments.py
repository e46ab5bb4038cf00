"""ParakeetArguments: flags of --stt parakeet."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass
class ParakeetArguments:
    """Parakeet speech recognition, through Transformers."""

    _argument_group_name: ClassVar[str] = "--stt parakeet"

    stt_model_name: str = field(
        default="nvidia/parakeet-tdt-0.6b-v3",
        metadata={
            "help": "a Parakeet model (CTC, RNN-T or TDT): a name on the hub, or a folder of that name"
        },
    )
    stt_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )
    stt_torch_dtype: Literal["auto", "float32", "float16", "bfloat16"] = field(
        default="auto", metadata={"help": "precision of the weights; auto: as they were saved"}
    )
