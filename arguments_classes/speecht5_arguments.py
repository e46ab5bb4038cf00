"""SpeechT5Arguments: flags of --tts speecht5."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.synthesizer_flags import SynthesizerDevice


@dataclass
class SpeechT5Arguments(SynthesizerDevice):
    """SpeechT5 speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts speecht5"

    tts_model_name: str = field(
        default="microsoft/speecht5_tts", metadata={"help": "model: a name on the hub, or a folder"}
    )
    tts_vocoder_name: str = field(
        default="microsoft/speecht5_hifigan",
        metadata={"help": "vocoder, which generates the audio: a name on the hub, or a folder"},
    )
    tts_speakers_name: str = field(
        default="Matthijs/cmu-arctic-xvectors",
        metadata={"help": "voices: a data set on the hub, or a folder with its spkrec-xvect.zip"},
    )
    tts_voice: str = field(
        default="slt",
        metadata={"help": "voice of CMU ARCTIC: clb, slt (women), awb, bdl, jmk, ksp, rms (men)"},
    )
    tts_clone: str | None = field(
        default=None,
        metadata={
            "help": ".npy file with the x-vector of a voice to imitate instead; the speaker must have "
            "consented"
        },
    )
