"""SupertonicArguments: flags of --tts supertonic."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.synthesizer_flags import UsualLanguage


@dataclass
class SupertonicArguments(UsualLanguage):
    """Supertonic speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts supertonic"

    tts_model_name: str = field(
        default="Supertone/supertonic-3",
        metadata={
            "help": "model: a name on the hub (supertonic, supertonic-2, supertonic-3), or a folder"
        },
    )
    tts_voice: str = field(default="F1", metadata={"help": "voice: F1 to F5 (female), M1 to M5 (male)"})
    tts_speed: float = field(
        default=1.05, metadata={"help": "speed of speech, from 0.7 (slow) to 2 (fast)"}
    )
    tts_steps: int = field(
        default=8,
        metadata={"help": "diffusion steps, 1 to 100: with more, speech sounds better but starts later"},
    )

    def __post_init__(self) -> None:
        expect(0.7 <= self.tts_speed <= 2, "tts_speed", "0.7 to 2", self.tts_speed)
        expect(1 <= self.tts_steps <= 100, "tts_steps", "1 to 100", self.tts_steps)
