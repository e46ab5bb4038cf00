"""ParaformerArguments: flags of --stt paraformer."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.recognizer_flags import RecognizerDevice


@dataclass
class ParaformerArguments(RecognizerDevice):
    """Paraformer speech recognition, through FunASR."""

    _argument_group_name: ClassVar[str] = "--stt paraformer"

    stt_model_name: str = field(
        default="funasr/paraformer-zh",
        metadata={
            "help": "a Paraformer model: a name on the hub, or a folder; those with -streaming "
            "recognize while the user speaks"
        },
    )
