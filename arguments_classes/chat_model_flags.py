"""chat_model_flags: mixins of flags that several language models share."""

from dataclasses import dataclass, field

from arguments_classes.expect import expect


@dataclass
class Sampling:
    """The choice of words, by chance."""

    llm_gen_temperature: float | None = field(
        default=None, metadata={"help": "randomness of the words; 0: always the likeliest word"}
    )
    llm_gen_top_p: float | None = field(
        default=None,
        metadata={"help": "draw from the likeliest words that together have this probability, 0 to 1"},
    )


@dataclass
class Words(Sampling):
    """The choice of words, and of those that are spoken."""

    llm_keep_thoughts: bool = field(
        default=False,
        metadata={
            "help": "speak the answer as written, including what looks like thoughts or function calls"
        },
    )


@dataclass
class LocalChatModel(Words):
    """A language model that computes in this process."""

    llm_thinking: bool = field(
        default=False,
        metadata={"help": "let a reasoning model think before it answers; it stays silent until then"},
    )


@dataclass
class AnswerLength:
    """The length of an answer."""

    llm_gen_max_tokens: int = field(
        default=256,
        metadata={"help": "longest answer, in tokens; 256 tokens are a minute and a half of speech"},
    )

    def __post_init__(self) -> None:
        expect(self.llm_gen_max_tokens > 0, "llm_gen_max_tokens", "1 or more", self.llm_gen_max_tokens)
