"""NemotronArguments: flags of --stt nemotron."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass
class NemotronArguments:
    """Nemotron streaming speech recognition, through Transformers."""

    _argument_group_name: ClassVar[str] = "--stt nemotron"

    stt_model_name: str = field(
        default="nvidia/nemotron-speech-streaming-en-0.6b",
        metadata={"help": "a streaming Nemotron: a name on the hub, or a folder"},
    )
    stt_latency_ms: int = field(
        default=560,
        metadata={
            "help": "how far it hears ahead before it writes a word, in ms: 80, 160, 560 or 1120; the "
            "longer, the fewer mistakes and the less work, and the later come partial words"
        },
    )
    stt_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )
    stt_torch_dtype: Literal["auto", "float32", "float16", "bfloat16"] = field(
        default="auto", metadata={"help": "precision of the weights; auto: as they were saved"}
    )
