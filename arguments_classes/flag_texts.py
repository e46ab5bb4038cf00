"""flag_texts: help and choices of flags that recognizers, language models and synthesizers share."""

from typing import Literal, TypeAlias

DEVICE = (
    "device: cuda, mps or cpu, as far as the engine supports it; default: the one that --device selects"
)

Precision: TypeAlias = Literal["auto", "float32", "float16", "bfloat16"]
PRECISION = "precision of the weights; auto: the one they were saved in"

KEY_FILE = "file that holds the API key; default: the environment variable OPENAI_API_KEY"


def base_url(example: str) -> str:
    """Help for the address of a server, with an example of one on this machine."""
    return f"address of the server, such as {example}; default: OpenAI's own"
