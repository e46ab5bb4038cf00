"""ParaformerArguments: flags of --stt paraformer."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class ParaformerArguments:
    """Paraformer speech recognition, through FunASR."""

    _argument_group_name: ClassVar[str] = "--stt paraformer"

    stt_model_name: str = field(
        default="funasr/paraformer-zh",
        metadata={
            "help": "a Paraformer of FunASR: a name on the hub, or a folder; with "
            "funasr/paraformer-zh-streaming it recognises while you speak"
        },
    )
    stt_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )
