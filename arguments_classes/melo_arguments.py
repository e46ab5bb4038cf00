"""MeloArguments: flags of --tts melo."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class MeloArguments:
    """MeloTTS: six languages, each a model of its own."""

    _argument_group_name: ClassVar[str] = "--tts melo"

    tts_model_name: str | None = field(
        default=None,
        metadata={
            "help": "a name on the hub, or a folder, of a model of tts_language; by default that of "
            "myshell-ai for it, and the others when they are spoken first"
        },
    )
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )
    tts_language: str = field(
        default="en",
        metadata={"help": "en, es, fr, zh, ja or ko: where the recognizer does not say one"},
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "a speaker of that model, for English such as EN-BR; by default its first"},
    )
    tts_speed: float = field(default=1.0, metadata={"help": "0.5 is half as fast, 2 twice as fast"})

    def __post_init__(self) -> None:
        expect(0.25 <= self.tts_speed <= 4, "tts_speed", "0.25 to 4", self.tts_speed)
