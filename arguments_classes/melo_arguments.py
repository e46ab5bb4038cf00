"""MeloArguments: flags of --tts melo."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.synthesizer_flags import SynthesizerDevice


@dataclass
class MeloArguments(SynthesizerDevice):
    """MeloTTS: six languages, each a model of its own."""

    _argument_group_name: ClassVar[str] = "--tts melo"

    tts_model_name: str | None = field(
        default=None,
        metadata={
            "help": "model for --tts_language: a name on the hub, or a folder; default: that of myshell-"
            "ai"
        },
    )
    tts_language: str = field(
        default="en",
        metadata={"help": "language to speak if the recognizer reports none: en, es, fr, zh, ja or ko"},
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "speaker of the model, such as EN-BR for English; default: its first"},
    )
    tts_speed: float = field(
        default=1.0, metadata={"help": "speed of speech, from 0.25 (slow) to 4 (fast)"}
    )

    def __post_init__(self) -> None:
        expect(0.25 <= self.tts_speed <= 4, "tts_speed", "0.25 to 4", self.tts_speed)
