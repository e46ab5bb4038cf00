"""MmsArguments: flags of --tts mms."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import SpeakingSpeed, SynthesizerDevice


@dataclass
class MmsArguments(SpeakingSpeed, SynthesizerDevice):
    """Meta's MMS speech synthesis: a model for each language."""

    _argument_group_name: ClassVar[str] = "--tts mms"

    tts_model_name: str = field(
        default="facebook/mms-tts-",
        metadata={
            "help": "beginning of the models' names, completed by the code of the language: "
            "facebook/mms-tts-tel"
        },
    )
    tts_language: str = field(
        default="en",
        metadata={
            "help": "language to speak if the recognizer reports none, such as te; its model is loaded "
            "at start"
        },
    )
    tts_seed: int | None = field(
        default=None,
        metadata={"help": "random seed, such as 1, with which the same text always sounds the same"},
    )
