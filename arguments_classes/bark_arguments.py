"""BarkArguments: flags of --tts bark."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.synthesizer_flags import SynthesizerDevice, UsualLanguage


@dataclass
class BarkArguments(SynthesizerDevice, UsualLanguage):
    """Bark speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts bark"

    tts_model_name: str = field(
        default="suno/bark-small", metadata={"help": "model: suno/bark-small, suno/bark, or a folder"}
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice preset, such as v2/en_speaker_6 or v2/hi_speaker_2; default: one for the "
            "language"
        },
    )
    tts_temperature: float = field(
        default=0.7,
        metadata={"help": "randomness of the speech, above 0 to 1; lower is steadier"},
    )

    def __post_init__(self) -> None:
        warm = 0 < self.tts_temperature <= 1
        expect(warm, "tts_temperature", "above 0, at most 1", self.tts_temperature)
