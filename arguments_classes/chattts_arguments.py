"""ChatTtsArguments: flags of --tts chattts."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class ChatTtsArguments:
    """ChatTTS speech synthesis."""

    _argument_group_name: ClassVar[str] = "--tts chattts"

    tts_model_name: str = field(
        default="2Noise/ChatTTS", metadata={"help": "a name on the hub, or a folder with its files"}
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "speaker- and a number, such as speaker-42; by default one drawn at start"},
    )
    tts_stream: bool = field(
        default=True, metadata={"help": "hand on audio in mid-sentence, as it is made"}
    )
    tts_chunk_size: int = field(
        default=512, metadata={"help": "samples of each piece of audio that is handed on, at 24 kHz"}
    )
    tts_temperature: float = field(
        default=0.3, metadata={"help": "how freely it speaks, above 0 to 1: less is steadier"}
    )
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )

    def __post_init__(self) -> None:
        expect(self.tts_chunk_size > 0, "tts_chunk_size", "1 or more samples", self.tts_chunk_size)
        warm = 0 < self.tts_temperature <= 1
        expect(warm, "tts_temperature", "above 0, at most 1", self.tts_temperature)
