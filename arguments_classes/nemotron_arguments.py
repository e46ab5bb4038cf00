"""NemotronArguments: flags of --stt nemotron."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.recognizer_flags import RecognizerDevice, RecognizerPrecision


@dataclass
class NemotronArguments(RecognizerPrecision, RecognizerDevice):
    """Nemotron streaming speech recognition, through Transformers."""

    _argument_group_name: ClassVar[str] = "--stt nemotron"

    stt_model_name: str = field(
        default="nvidia/nemotron-speech-streaming-en-0.6b",
        metadata={"help": "a streaming Nemotron model: a name on the hub, or a folder"},
    )
    stt_latency_ms: int = field(
        default=560,
        metadata={
            "help": "sound to wait for before a word is written: 80, 160, 560 or 1120 ms; more makes "
            "fewer mistakes"
        },
    )
