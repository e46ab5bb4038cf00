"""OpenAIArguments: flags of --llm openai."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class OpenAIArguments:
    """Any server that speaks the OpenAI chat protocol. The key comes from OPENAI_API_KEY or a file."""

    _argument_group_name: ClassVar[str] = "--llm openai"

    llm_model_name: str | None = field(
        default=None, metadata={"help": "the model; by default the first that a local server lists"}
    )
    llm_base_url: str | None = field(
        default=None,
        metadata={"help": "for example http://localhost:11434/v1; by default OpenAI's own"},
    )
    llm_api_key_file: str | None = field(
        default=None,
        metadata={"help": "a file that holds the key; without it OPENAI_API_KEY is used"},
    )
    llm_stream: bool = field(default=True, metadata={"help": "take the answer as it is written"})
    llm_timeout_s: float = field(
        default=60.0, metadata={"help": "longest wait for the first word, and between two words"}
    )
    llm_retries: int = field(
        default=2, metadata={"help": "further attempts, with back-off, before the first word only"}
    )
    llm_gen_max_tokens: int | None = field(default=None, metadata={"help": "longest answer, in tokens"})
    llm_gen_temperature: float | None = field(
        default=None, metadata={"help": "how freely words are chosen"}
    )
    llm_gen_top_p: float | None = field(
        default=None, metadata={"help": "share of the probability from which words are chosen"}
    )

    def __post_init__(self) -> None:
        expect(self.llm_timeout_s > 0, "llm_timeout_s", "more than 0 seconds", self.llm_timeout_s)
        expect(self.llm_retries >= 0, "llm_retries", "0 or more", self.llm_retries)
