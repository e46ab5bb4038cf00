"""FasterWhisperArguments: flags of --stt faster-whisper."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from arguments_classes.recognizer_flags import RecognizerDevice, WhisperLanguages


@dataclass
class FasterWhisperArguments(WhisperLanguages, RecognizerDevice):
    """Whisper on CTranslate2."""

    _argument_group_name: ClassVar[str] = "--stt faster-whisper"

    stt_model_name: str = field(
        default="tiny.en",
        metadata={
            "help": "model: a size such as tiny.en, small or turbo, a name on the hub, or a folder; .en "
            "and distil know only English"
        },
    )
    stt_compute_type: Literal[
        "auto", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "float16", "bfloat16", "float32"
    ] = field(
        default="auto", metadata={"help": "precision of the weights; auto: the fastest on the device"}
    )
    stt_beam_size: int = field(default=1, metadata={"help": "beams of the beam search; more are slower"})

    def __post_init__(self) -> None:
        expect(self.stt_beam_size >= 1, "stt_beam_size", "1 or more", self.stt_beam_size)
