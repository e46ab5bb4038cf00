"""PocketArguments: flags of --tts pocket."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class PocketArguments:
    """Pocket TTS speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts pocket"

    tts_model_name: str | None = field(
        default=None,
        metadata={
            "help": "english, french_24l and so on as Kyutai names them, or a YAML file that says where "
            "weights are; by default by language"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "of the catalogue, for example alba, marius, cosette; by default by language"},
    )
    tts_language: str = field(
        default="en", metadata={"help": "what it speaks: en, de, es, fr, it, nl or pt"}
    )
    tts_clone: str | None = field(
        default=None,
        metadata={
            "help": "a recording, 1 to 30 s, whose voice is used in the place of tts_voice; the speaker "
            "must have consented"
        },
    )
