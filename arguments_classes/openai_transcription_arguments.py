"""OpenAITranscriptionArguments: flags of --stt openai."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.flag_texts import KEY_FILE, base_url


@dataclass
class OpenAITranscriptionArguments:
    """Any server that speaks the OpenAI transcription protocol. The key comes from OPENAI_API_KEY or a
    file."""

    _argument_group_name: ClassVar[str] = "--stt openai"

    stt_model_name: str | None = field(
        default=None,
        metadata={
            "help": "model, such as gpt-4o-mini-transcribe; default: the first that the server lists"
        },
    )
    stt_language: str | None = field(
        default=None,
        metadata={"help": "language of the speech, a code such as en; default: the server detects it"},
    )
    stt_base_url: str | None = field(
        default=None, metadata={"help": base_url("http://localhost:8000/v1")}
    )
    stt_api_key_file: str | None = field(default=None, metadata={"help": KEY_FILE})
    stt_timeout_s: float = field(
        default=30.0, metadata={"help": "longest wait for the transcript, in seconds"}
    )
    stt_retries: int = field(default=1, metadata={"help": "retries of a failed request, with back-off"})

    def __post_init__(self) -> None:
        expect(self.stt_timeout_s > 0, "stt_timeout_s", "more than 0 seconds", self.stt_timeout_s)
        expect(self.stt_retries >= 0, "stt_retries", "0 or more", self.stt_retries)
