"""Choice of `--stt auto` and `--tts auto`: the best engine that is installed and has its model in the
cache.

To find out, nothing is imported or downloaded and no network is asked: it is a look at what is installed
and at the cache of the hub, under 2 ms in all.
"""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from catalogue.registry import EngineSpec, find, specs
from utils.hub import cached


@dataclass(frozen=True, slots=True)
class Preferred:
    """An engine and its model on the hub; None: the model is built in."""

    name: str
    model: str | None = None
    files: tuple[str, ...] | None = None
    """The files of the model that the engine fetches; None: all."""
    languages: tuple[str, ...] = ()
    """Its languages; empty: about a hundred, or it does not matter."""
    needs: tuple[str, ...] = ()
    """Modules beside those of its row, without which it does not speak English."""
    accelerated: bool = False
    """Set if it is fast enough on a GPU only."""


PREFERRED: Mapping[str, tuple[Preferred, ...]] = {
    "stt": (
        Preferred(
            "whisper",
            "distil-whisper/distil-large-v3",
            ("*.json", "*.txt", "model.safetensors", "model-*.safetensors"),
            languages=("en",),
            accelerated=True,
        ),
        Preferred(
            "faster-whisper",
            "Systran/faster-whisper-small",
            ("config.json", "preprocessor_config*", "model.bin", "tokenizer.json", "vocabulary.*"),
        ),
        Preferred("moonshine"),
        Preferred("pocketsphinx"),
    ),
    "tts": (
        Preferred(
            "kokoro",
            "hexgrad/Kokoro-82M",
            ("config.json", "*.pth", "voices/*.pt"),
            languages=("en", "es", "fr", "hi", "it", "pt"),
            needs=("en_core_web_sm",),
        ),
        Preferred("espeak"),
    ),
}
"""The engines of each stage, the best first. Those without a model come last: the first of them that is
installed is the plain one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, its model if that is not the default, and the reason of the choice."""

    spec: EngineSpec
    model: str | None = None
    why: str = ""


def choose(stage: str, typed: Sequence[str], language: str | None = None) -> Choice:
    """The engine for a stage that was not chosen, for a conversation in `language`. If a flag of the
    stage was given, it is the plain one, since the meaning of the flag depends on the engine."""
    plain = _plain(stage)
    if any(argument.replace("-", "_").startswith(f"__{stage}_") for argument in typed):
        return Choice(plain)
    there = {spec.name: spec for spec in specs(stage)}
    for preferred in PREFERRED[stage]:
        spec = there.get(preferred.name)
        if preferred.model is None or spec is None or not _ready(preferred, spec):
            continue
        if language is not None and preferred.languages and language not in preferred.languages:
            continue
        why = f"{preferred.model} is in the cache; --{stage} {plain.name} chooses the plain one"
        return Choice(spec, preferred.model, why)
    return Choice(plain)


def _plain(stage: str) -> EngineSpec:
    built_in = [find(stage, preferred.name) for preferred in PREFERRED[stage] if preferred.model is None]
    return next((spec for spec in built_in if not spec.missing()), built_in[-1])


def _ready(preferred: Preferred, spec: EngineSpec) -> bool:
    if spec.missing() or any(find_spec(module) is None for module in preferred.needs):
        return False
    if preferred.accelerated and not accelerated():
        return False
    return cached(str(preferred.model), preferred.files) is not None


def accelerated() -> bool:
    """True if there seems to be a GPU; asking torch would take seconds."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1") and Path("/dev/nvidiactl").exists()
