"""OpenAIArguments: flags of --llm openai."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.chat_server_arguments import ChatServerArguments
from arguments_classes.flag_texts import KEY_FILE, base_url


@dataclass
class OpenAIArguments(ChatServerArguments):
    """Any server that speaks the OpenAI chat protocol. The key comes from OPENAI_API_KEY or a file."""

    _argument_group_name: ClassVar[str] = "--llm openai"

    llm_base_url: str | None = field(
        default=None, metadata={"help": base_url("http://localhost:11434/v1")}
    )
    llm_api_key_file: str | None = field(default=None, metadata={"help": KEY_FILE})
