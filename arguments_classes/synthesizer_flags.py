"""synthesizer_flags: mixins of flags that several synthesizers share."""

from dataclasses import dataclass, field

from arguments_classes.expect import expect
from arguments_classes.flag_texts import DEVICE, PRECISION, Precision


@dataclass
class SynthesizerDevice:
    """The device of a synthesizer."""

    tts_device: str | None = field(default=None, metadata={"help": DEVICE})


@dataclass
class SynthesizerPrecision:
    """The precision of a synthesizer's weights."""

    tts_torch_dtype: Precision = field(default="auto", metadata={"help": PRECISION})


@dataclass
class UsualLanguage:
    """The language of a text that comes without one; English by default."""

    tts_language: str = field(
        default="en", metadata={"help": "language to speak if the recognizer reports none"}
    )


@dataclass
class OptionalLanguage:
    """The language of a text that comes without one; by default the model decides."""

    tts_language: str | None = field(
        default=None,
        metadata={
            "help": "language to speak if the recognizer reports none, such as de; default: the "
            "model's own"
        },
    )


@dataclass
class SpeakingSpeed:
    """Half to twice the usual speed."""

    tts_speed: float = field(
        default=1.0, metadata={"help": "speed of speech, from 0.5 (slow) to 2 (fast)"}
    )

    def __post_init__(self) -> None:
        expect(0.5 <= self.tts_speed <= 2, "tts_speed", "0.5 to 2", self.tts_speed)
