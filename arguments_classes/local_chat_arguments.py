"""LocalChatArguments: what can be asked of any language model that computes in this process."""

from dataclasses import dataclass, field


@dataclass
class LocalChatArguments:
    """How it answers."""

    llm_thinking: bool = field(
        default=False,
        metadata={
            "help": "whether a model that can choose thinks before it answers, which is never spoken, "
            "but waited for; allow for it in the longest answer"
        },
    )
    llm_gen_temperature: float | None = field(
        default=None, metadata={"help": "how freely words are chosen; 0: always the likeliest"}
    )
    llm_gen_top_p: float | None = field(
        default=None, metadata={"help": "share of the probability from which words are chosen"}
    )
