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
            "help": "model: one of Kyutai's names (english, french_24l and so on), or a YAML file; "
            "default: one for the language"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice of the catalog, such as alba, marius or cosette; default: one for the "
            "language"
        },
    )
    tts_language: str = field(
        default="en", metadata={"help": "language to speak: en, de, es, fr, it, nl or pt"}
    )
    tts_clone: str | None = field(
        default=None,
        metadata={
            "help": "recording, 1 to 30 s, of a voice to imitate in place of --tts_voice; the speaker "
            "must have consented"
        },
    )
