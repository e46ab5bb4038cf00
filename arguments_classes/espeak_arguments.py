"""EspeakArguments: flags of --tts espeak."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.synthesizer_flags import UsualLanguage


@dataclass
class EspeakArguments(UsualLanguage):
    """eSpeak NG speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts espeak"

    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice, such as en-us, en-gb+f3, te, hi or cmn; default: the voice of the language"
        },
    )
    tts_rate: int = field(default=170, metadata={"help": "words per minute, 80 to 450"})
    tts_pitch: int = field(default=50, metadata={"help": "pitch of the voice, 0 to 99"})

    def __post_init__(self) -> None:
        expect(80 <= self.tts_rate <= 450, "tts_rate", "80 to 450 words a minute", self.tts_rate)
        expect(0 <= self.tts_pitch <= 99, "tts_pitch", "0 to 99", self.tts_pitch)
