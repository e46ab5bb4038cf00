"""OpenAITranscriptionArguments: flags of --stt openai."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class OpenAITranscriptionArguments:
    """Any server that speaks the OpenAI transcription protocol. The key comes from OPENAI_API_KEY or a
    file."""

    _argument_group_name: ClassVar[str] = "--stt openai"

    stt_model_name: str | None = field(
        default=None,
        metadata={
            "help": "for example gpt-4o-mini-transcribe or whisper-1; by default the first that a "
            "server other than OpenAI's lists"
        },
    )
    stt_language: str | None = field(
        default=None,
        metadata={"help": "what is spoken, as a code such as en; by default the server finds out"},
    )
    stt_base_url: str | None = field(
        default=None,
        metadata={"help": "for example http://localhost:8000/v1; by default OpenAI's own"},
    )
    stt_api_key_file: str | None = field(
        default=None,
        metadata={"help": "a file that holds the key; without it OPENAI_API_KEY is used"},
    )
    stt_timeout_s: float = field(default=30.0, metadata={"help": "longest wait for the words"})
    stt_retries: int = field(default=1, metadata={"help": "further attempts, with back-off"})

    def __post_init__(self) -> None:
        expect(self.stt_timeout_s > 0, "stt_timeout_s", "more than 0 seconds", self.stt_timeout_s)
        expect(self.stt_retries >= 0, "stt_retries", "0 or more", self.stt_retries)
