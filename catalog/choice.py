"""`--stt auto` and `--tts auto`: the best engine that is installed and whose model is already here.

Nothing is imported or downloaded and no network is used: the choice looks only at the installed packages
and at the cache of the hub, which takes under 2 ms.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec

from catalog.meant import KOKORO_VOICE, PIPER_VOICE
from catalog.registry import EngineSpec, find, specs
from catalog.weights import FETCH, JOE, JOE_SETTINGS
from utils.device import accelerated
from utils.hub import cached
from utils.packaged import PackagedFile


@dataclass(frozen=True, slots=True)
class Preferred:
    """An engine, and the model on the hub that it is created with; None: its model is built in."""

    name: str
    model: str | None = None
    files: tuple[str, ...] | None = None
    """Files of the model that the engine fetches, by its own patterns; None: all."""
    embedded: tuple[PackagedFile, ...] = ()
    """Files of its built-in model that `python -m catalog.weights` fetches; they may be missing."""
    otherwise: str | None = None
    """The model on the hub for languages that the built-in one does not know."""
    languages: tuple[str, ...] = ()
    """Languages that it speaks or understands; empty: about a hundred, or any."""
    voices: str = ""
    """Pattern of the names of its voices."""
    needs: tuple[str, ...] = ()
    """Modules that it needs for English, besides those of its row."""
    backed: bool = False
    """True if the built-in engine stands behind a model on the hub, for languages that it does not know
    and for its failures. It is created with its default settings."""
    accelerated: bool = False
    """True for an engine that is fast enough for a conversation on a GPU only."""


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
            "kokoro-torch",
            "hexgrad/Kokoro-82M",
            ("config.json", "*.pth", "voices/*.pt"),
            languages=("en", "es", "fr", "hi", "it", "pt"),
            voices=KOKORO_VOICE,
            needs=("en_core_web_sm",),
            accelerated=True,
        ),
        Preferred(
            "kokoro",
            "onnx-community/Kokoro-82M-v1.0-ONNX",
            ("onnx/model_quantized.onnx", "voices*"),
            languages=("en", "es", "fr", "hi", "it", "pt", "zh"),
            voices=KOKORO_VOICE,
            backed=True,
        ),
        Preferred(
            "piper",
            embedded=(JOE, JOE_SETTINGS),
            otherwise="rhasspy/piper-voices",
            languages=("en",),
            voices=PIPER_VOICE,
        ),
        Preferred("espeak"),
    ),
}
"""The best engine comes first; the built-in ones, without a model, come last, and the first of them that
is installed is the one to fall back on."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen engine, the model that it is created with (None: its default), and why it was chosen."""

    spec: EngineSpec
    model: str | None = None
    why: str = ""
    dispensable: bool = False
    """True if the program chose it and starts without it if it does not load."""


def choose(
    stage: str, typed: Sequence[str], language: str | None = None, *, all_fetched: bool = False
) -> tuple[Choice, ...]:
    """Choose the engine of a stage for a conversation in `language`. If flags of the stage were typed,
    it is one that they fit, as `_takes` says. The built-in engine that needs no files also stands behind
    one with a model in `embedded`, and one that is `backed`, for languages that this one does not know
    and for its failures. `all_fetched`: as if the files in `embedded` were here, as they are after the
    first start."""
    built_in = _built_in(stage)
    flags = _typed_flags(stage, typed)
    rows = {spec.name: spec for spec in specs(stage)}
    for preferred in PREFERRED[stage]:
        spec = rows.get(preferred.name)
        if spec is None or _is_built_in(preferred) or not _runs(preferred, spec):
            continue
        if language is not None and preferred.languages and language not in preferred.languages:
            continue
        if not _takes(preferred, spec, flags, built_in):
            continue
        if not preferred.embedded:
            if cached(str(preferred.model), preferred.files) is not None:
                why = f"{preferred.model} is in the cache; for the built-in engine: --{stage}"
                why = f"{why} {built_in.name}"
                if preferred.backed:  # the model is its default
                    return (Choice(spec, why=why, dispensable=not flags), Choice(built_in))
                return (Choice(spec, preferred.model, why),)
        elif all_fetched or all(file.there for file in preferred.embedded):
            return (Choice(spec, dispensable=not flags), Choice(built_in))
        else:
            return (Choice(built_in, why=f"for {spec.name}, which sounds more natural, type: {FETCH}"),)
    return (Choice(built_in),)


def named(spec: EngineSpec, language: str | None = None) -> Choice:
    """An engine that the user named, for a conversation in `language`."""
    for preferred in PREFERRED.get(spec.stage, ()):
        if preferred.name == spec.name and language not in (None, *preferred.languages):
            return Choice(spec, preferred.otherwise)
    return Choice(spec)


def _typed_flags(stage: str, typed: Sequence[str]) -> dict[str, str]:
    """The flags of the stage that were typed, with their values."""
    flags = {}
    for n, argument in enumerate(typed):
        flag, equals, value = argument.partition("=")
        name = flag.replace("-", "_").removeprefix("__")
        if flag.startswith("--") and name.startswith(f"{stage}_"):
            flags[name] = value if equals else next(iter(typed[n + 1 : n + 2]), "")
    return flags


def _takes(
    preferred: Preferred, spec: EngineSpec, flags: Mapping[str, str], built_in: EngineSpec
) -> bool:
    """True if all these flags fit the engine: a voice that is named as its voices are, a language that
    it knows; and other flags that the built-in engine does not have, as their meaning depends on the
    engine."""
    own, plain = _names_of(spec), _names_of(built_in)
    for name, value in flags.items():
        if name == f"{spec.stage}_voice":
            fits = re.fullmatch(preferred.voices, value) is not None
        elif name == f"{spec.stage}_language":
            fits = not preferred.languages or value in preferred.languages
        else:
            fits = name not in plain
        if name not in own or not fits:
            return False
    return True


def _names_of(spec: EngineSpec) -> set[str]:
    flags = spec.argument_class()
    return set() if flags is None else {field.name for field in fields(flags)}


def _is_built_in(preferred: Preferred) -> bool:
    return preferred.model is None and not preferred.embedded


def _built_in(stage: str) -> EngineSpec:
    built_in = [find(stage, preferred.name) for preferred in PREFERRED[stage] if _is_built_in(preferred)]
    return next((spec for spec in built_in if not spec.missing()), built_in[-1])


def _runs(preferred: Preferred, spec: EngineSpec) -> bool:
    """True if everything but its model is there."""
    if spec.missing() or any(find_spec(module) is None for module in preferred.needs):
        return False
    return accelerated() or not preferred.accelerated
