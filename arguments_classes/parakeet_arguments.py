"""ParakeetArguments: flags of --stt parakeet."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.recognizer_flags import RecognizerDevice, RecognizerPrecision


@dataclass
class ParakeetArguments(RecognizerPrecision, RecognizerDevice):
    """Parakeet speech recognition, through Transformers."""

    _argument_group_name: ClassVar[str] = "--stt parakeet"

    stt_model_name: str = field(
        default="nvidia/parakeet-tdt-0.6b-v3",
        metadata={
            "help": "a Parakeet model (CTC, RNN-T or TDT): a name on the hub, or a folder so named"
        },
    )
