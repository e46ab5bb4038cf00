"""Offers: better parts than the built-in ones, which the program fetches and uses when the user asks.

Only parts that run with the packages of requirements.txt. Sizes and licenses of models on the hub and on
Ollama's are those that their makers state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from catalog.choice import PREFERRED
from catalog.registry import find
from utils.hub import cached
from utils.memory import memory_bytes

GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A better part for a stage: `model`, run by `engine`."""

    name: str
    stage: str
    title: str
    about: str
    size_bytes: int
    """Size of the download."""
    license: str
    engine: str
    """Name of its row in the catalog."""
    model: str
    """Name on the hub; for `source` "ollama", in Ollama's library."""
    instead_of: tuple[str, ...]
    """Names of the engines that it is better than."""
    files: tuple[str, ...] | None = None
    """Files of a model on the hub, by the patterns with which the engine fetches them."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the engine that differ from its defaults."""
    languages: tuple[str, ...] = ()
    """Languages that it speaks; empty: those of what it replaces, or more."""
    memory_bytes: int = 0
    """Memory that the machine must have."""
    source: Literal["hub", "ollama"] = "hub"

    @property
    def command(self) -> str:
        """The command that fetches it."""
        return f"s2s get {self.name}"

    @property
    def is_here(self) -> bool:
        """True for a model of the hub that is in the cache."""
        return self.source == "hub" and cached(self.model, self.files) is not None

    def runs_here(self, language: str | None) -> bool:
        """True if this machine can run it, for a conversation in `language`."""
        memory = memory_bytes()
        return (
            not find(self.stage, self.engine).missing()
            and (memory is None or memory >= self.memory_bytes)
            and (language is None or not self.languages or language in self.languages)
        )


_KOKORO = next(engine for engine in PREFERRED["tts"] if engine.name == "kokoro")
_QWEN = "qwen2.5-1.5b-instruct-q4_k_m.gguf"

OFFERS = (
    Offer(
        "kokoro",
        "tts",
        "Kokoro",
        "a natural voice, in eight languages and over fifty voices",
        121_000_000,
        "Apache-2.0, with eSpeak NG inside: GPL-3",
        engine=_KOKORO.name,
        model=str(_KOKORO.model),
        instead_of=("piper", "espeak"),
        files=_KOKORO.files,
        languages=_KOKORO.languages,
        memory_bytes=GB,
    ),
    Offer(
        "ollama",
        "llm",
        "Llama 3.2 on Ollama",
        "knows much more than the built-in model and speaks eight languages; run by your Ollama",
        2 * GB,
        "Llama 3.2 Community License",
        engine="openai",
        model="llama3.2",
        instead_of=("smollm2", "eliza"),
        memory_bytes=5 * GB,
        source="ollama",
    ),
    Offer(
        "qwen",
        "llm",
        "Qwen2.5 1.5B",
        "sensible answers in many languages, from a model on this machine",
        1_120_000_000,
        "Apache-2.0",
        engine="llama-cpp",
        model="Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        instead_of=("smollm2", "eliza"),
        files=(_QWEN,),
        settings={"model_name": "Qwen/Qwen2.5-1.5B-Instruct-GGUF", "gguf": _QWEN},
        memory_bytes=4 * GB,
    ),
)
"""The best of each stage first."""


def find_offer(name: str) -> Offer | None:
    """The offer of this name; None: there is none."""
    return next((offer for offer in OFFERS if offer.name == name), None)
