"""KokoroArguments: flags of --tts kokoro."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class KokoroArguments:
    """Kokoro speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts kokoro"

    tts_model_name: str = field(
        default="hexgrad/Kokoro-82M", metadata={"help": "a name on the hub, or a folder"}
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "for example af_heart, bm_george, ef_dora, hf_alpha; the first letter is the "
            "language; by default by language, af_heart for English"
        },
    )
    tts_language: str = field(
        default="en", metadata={"help": "language where the recognizer does not say one"}
    )
    tts_speed: float = field(default=1.0, metadata={"help": "0.5 (slow) to 2 (fast)"})
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )

    def __post_init__(self) -> None:
        expect(0.5 <= self.tts_speed <= 2, "tts_speed", "0.5 to 2", self.tts_speed)
