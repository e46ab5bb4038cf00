"""WhisperArguments: flags of --stt whisper."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from arguments_classes.flag_texts import Precision
from arguments_classes.recognizer_flags import RecognizerDevice, WhisperLanguages


@dataclass
class WhisperArguments(WhisperLanguages, RecognizerDevice):
    """Whisper from the Hugging Face hub or a folder, in this process."""

    _argument_group_name: ClassVar[str] = "--stt whisper"

    stt_model_name: str = field(
        default="distil-whisper/distil-large-v3",
        metadata={
            "help": "a Whisper model: a name on the hub, or a folder; the default understands only "
            "English"
        },
    )
    stt_torch_dtype: Precision = field(
        default="auto",
        metadata={"help": "precision of the weights; auto: float16 on cuda, else float32"},
    )
    stt_compile_mode: Literal["none", "default", "reduce-overhead", "max-autotune"] = field(
        default="none",
        metadata={
            "help": "mode of torch.compile for the decoder: recognition is faster, but the start takes "
            "minutes"
        },
    )
    stt_batch_size: int = field(
        default=4,
        metadata={"help": "utterances to recognize in one batch; always 1 with a compile mode"},
    )
    stt_gen_max_new_tokens: int = field(
        default=440,
        metadata={"help": "longest transcript of 30 s of speech, in tokens; the model has room for 440"},
    )
    stt_gen_num_beams: int = field(
        default=1, metadata={"help": "beams of the beam search; more are slower"}
    )

    def __post_init__(self) -> None:
        expect(self.stt_batch_size >= 1, "stt_batch_size", "1 or more", self.stt_batch_size)
        longest, beams = self.stt_gen_max_new_tokens, self.stt_gen_num_beams
        expect(1 <= longest <= 440, "stt_gen_max_new_tokens", "1 to 440", longest)
        expect(beams >= 1, "stt_gen_num_beams", "1 or more", beams)
