"""BarkArguments: flags of --tts bark."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class BarkArguments:
    """Bark speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts bark"

    tts_model_name: str = field(
        default="suno/bark-small", metadata={"help": "suno/bark-small, suno/bark, or a folder"}
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "a preset such as v2/en_speaker_6 or v2/hi_speaker_2; by default by language"},
    )
    tts_language: str = field(
        default="en", metadata={"help": "language where the recognizer does not say one"}
    )
    tts_temperature: float = field(
        default=0.7, metadata={"help": "how freely it speaks, above 0 to 1: less is steadier"}
    )
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )

    def __post_init__(self) -> None:
        warm = 0 < self.tts_temperature <= 1
        expect(warm, "tts_temperature", "above 0, at most 1", self.tts_temperature)
