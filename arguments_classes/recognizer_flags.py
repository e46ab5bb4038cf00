"""recognizer_flags: mixins of flags that several recognizers share."""

from dataclasses import dataclass, field

from arguments_classes.flag_texts import DEVICE, PRECISION, Precision
from STT.spoken_language import USUAL


@dataclass
class RecognizerDevice:
    """The device of a recognizer."""

    stt_device: str | None = field(default=None, metadata={"help": DEVICE})


@dataclass
class RecognizerPrecision:
    """The precision of a recognizer's weights."""

    stt_torch_dtype: Precision = field(default="auto", metadata={"help": PRECISION})


@dataclass
class WhisperLanguages:
    """The languages that a Whisper model listens for."""

    stt_language: str = field(
        default="en",
        metadata={"help": "language of the speech: a code such as te; auto: detected in every turn"},
    )
    stt_languages: str = field(
        default=USUAL,
        metadata={
            "help": "languages to listen for if --stt_language is auto: codes separated by spaces, or "
            "all"
        },
    )
