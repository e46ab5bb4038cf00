"""OpenAIAudioArguments: flags of --s2s openai-audio."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.flag_texts import KEY_FILE, base_url


@dataclass
class OpenAIAudioArguments:
    """Any server whose chat API accepts speech and answers with speech. The key comes from
    OPENAI_API_KEY or a file."""

    _argument_group_name: ClassVar[str] = "--s2s openai-audio"

    s2s_model_name: str | None = field(
        default=None,
        metadata={
            "help": "model that hears and speaks, such as gpt-audio-mini; default: the first that the "
            "server lists, but not OpenAI's"
        },
    )
    s2s_voice: str | None = field(
        default=None,
        metadata={
            "help": "voice, such as alloy, coral or marin; servers other than OpenAI's have their own"
        },
    )
    s2s_base_url: str | None = field(
        default=None, metadata={"help": base_url("http://localhost:8091/v1")}
    )
    s2s_api_key_file: str | None = field(default=None, metadata={"help": KEY_FILE})
    s2s_stream: bool = field(
        default=True, metadata={"help": "receive the answer while it is being generated"}
    )
    s2s_timeout_s: float = field(
        default=60.0,
        metadata={"help": "longest wait for the first audio, and between two pieces, in seconds"},
    )
    s2s_retries: int = field(
        default=2,
        metadata={"help": "retries, with back-off, of a request that fails before the first audio"},
    )

    def __post_init__(self) -> None:
        expect(self.s2s_timeout_s > 0, "s2s_timeout_s", "more than 0 seconds", self.s2s_timeout_s)
        expect(self.s2s_retries >= 0, "s2s_retries", "0 or more", self.s2s_retries)
