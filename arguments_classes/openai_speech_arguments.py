"""OpenAISpeechArguments: flags of --tts openai."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.flag_texts import KEY_FILE, base_url


@dataclass
class OpenAISpeechArguments:
    """Any server that speaks the OpenAI speech protocol. The key comes from OPENAI_API_KEY or a file."""

    _argument_group_name: ClassVar[str] = "--tts openai"

    tts_model_name: str | None = field(
        default=None,
        metadata={
            "help": "model, such as gpt-4o-mini-tts or tts-1; default: the first that a server other "
            "than OpenAI's lists"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={"help": "voice, such as alloy, coral or marin; other servers may have others"},
    )
    tts_style: str | None = field(
        default=None,
        metadata={
            "help": 'manner of speaking, for models that take one, such as "cheerful, out of breath"'
        },
    )
    tts_speed: float = field(
        default=1.0, metadata={"help": "speed of speech, from 0.25 (slow) to 4 (fast)"}
    )
    tts_sample_rate_hz: int = field(
        default=24000,
        metadata={"help": "sample rate in Hz of pcm if the server does not name it; OpenAI's is 24000"},
    )
    tts_base_url: str | None = field(
        default=None, metadata={"help": base_url("http://localhost:8880/v1")}
    )
    tts_api_key_file: str | None = field(default=None, metadata={"help": KEY_FILE})
    tts_timeout_s: float = field(
        default=30.0,
        metadata={"help": "longest wait for the first audio, and between two pieces, in seconds"},
    )
    tts_retries: int = field(
        default=1,
        metadata={"help": "retries, with back-off, of a request that fails before the first audio"},
    )

    def __post_init__(self) -> None:
        expect(0.25 <= self.tts_speed <= 4, "tts_speed", "0.25 to 4", self.tts_speed)
        rate_hz = self.tts_sample_rate_hz
        expect(8000 <= rate_hz <= 48000, "tts_sample_rate_hz", "8000 to 48000 Hz", rate_hz)
        expect(self.tts_timeout_s > 0, "tts_timeout_s", "more than 0 seconds", self.tts_timeout_s)
        expect(self.tts_retries >= 0, "tts_retries", "0 or more", self.tts_retries)
