"""Describing engines: what each one is, and which languages and voices they offer together."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from catalog.registry import EngineSpec, specs
from pipeline.description import Description, NamedVoice, Part
from pipeline.engine_info import DuplexInfo, EngineInfo, SynthesizerInfo
from pipeline.language import ANY, all_languages

EVERY = "*"
"""Stands for every language in a `Part`."""


def describe(loaded: Mapping[str, Any], hints: Mapping[str, str]) -> Description:
    """Describe the engine of each stage, with the way to a better one."""
    parts = tuple(part for stage, engine in loaded.items() for part in _parts(stage, engine))
    info = (loaded.get("tts") or loaded["s2s"]).info
    languages = [
        _languages(engine.info) for stage, engine in loaded.items() if stage in ("stt", "tts", "s2s")
    ]
    return Description(parts, _voices(info), getattr(info, "voice", None), _common(languages), hints)


def _parts(stage: str, engine: Any) -> Iterator[Part]:
    """The engine, or each engine of a failover, which may contain another one."""
    if hasattr(engine, "engines"):
        for each in engine.engines:
            yield from _parts(stage, each)
        return
    info = EngineInfo(name=engine.name) if stage == "vad" else engine.info
    spec = _find(stage, info.name)
    about, placeholder = ("", False) if spec is None else (spec.about, spec.placeholder)
    model, languages = _shown(info.model), _languages(info)
    yield Part(stage, info.name, about, model, languages, placeholder, info.host, info.device)


def _find(stage: str, name: str) -> EngineSpec | None:
    return next((spec for spec in specs(stage) if spec.name == name), None)


def _shown(model: str | None) -> str | None:
    """The model without the folders above it, which concern nobody but the operator."""
    if model is None or not Path(model).expanduser().exists():
        return model
    return Path(model).name


def _languages(info: EngineInfo) -> tuple[str, ...]:
    """A full-duplex model does not say; an engine without a list leaves it to its model or server."""
    if isinstance(info, DuplexInfo):
        return ()
    languages: tuple[str, ...] = getattr(info, "languages", (ANY,))
    return (EVERY,) if ANY in languages else languages


def _voices(info: Any) -> tuple[NamedVoice, ...]:
    known = info.voice_languages if isinstance(info, SynthesizerInfo) else {}
    codes = {voice: code.partition("-")[0] for voice, code in known.items()}  # eSpeak has "en-gb"
    return tuple(NamedVoice(voice, codes.get(voice)) for voice in info.voices)


def _common(languages: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The languages that are in all of these."""
    limited = [set(codes) for codes in languages if EVERY not in codes]
    return tuple(sorted(set.intersection(*limited))) if limited else all_languages()
