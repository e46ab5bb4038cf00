"""ChatTtsArguments: flags of --tts chattts."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.synthesizer_flags import SynthesizerDevice


@dataclass
class ChatTtsArguments(SynthesizerDevice):
    """ChatTTS speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts chattts"

    tts_model_name: str = field(
        default="2Noise/ChatTTS",
        metadata={"help": "model: a name on the hub, or a folder with its files"},
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "voice: speaker- and a number, such as speaker-42; default: a random one"},
    )
    tts_stream: bool = field(
        default=True, metadata={"help": "play a sentence while the rest of it is being synthesized"}
    )
    tts_chunk_size: int = field(default=512, metadata={"help": "samples in a piece of audio, at 24 kHz"})
    tts_temperature: float = field(
        default=0.3,
        metadata={"help": "randomness of the speech, above 0 to 1; lower is steadier"},
    )

    def __post_init__(self) -> None:
        expect(self.tts_chunk_size > 0, "tts_chunk_size", "1 or more samples", self.tts_chunk_size)
        warm = 0 < self.tts_temperature <= 1
        expect(warm, "tts_temperature", "above 0, at most 1", self.tts_temperature)
