"""OpenAIResponsesArguments: flags of --llm openai-responses."""

from dataclasses import dataclass
from typing import ClassVar

from arguments_classes.openai_arguments import OpenAIArguments


@dataclass
class OpenAIResponsesArguments(OpenAIArguments):
    """Any server that speaks the OpenAI responses protocol; the flags are those of --llm openai."""

    _argument_group_name: ClassVar[str] = "--llm openai-responses"
