"""The registry: one row for each engine. What it is called, where it lives, what it needs."""

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One engine. `module` and `arguments` are written "module:Name"; nothing is imported here."""

    stage: str
    name: str
    about: str
    module: str
    arguments: str | None = None
    aliases: tuple[str, ...] = ()
    """Older spellings of the name; one that ends in "_" is an older prefix of its flags."""
    needs: tuple[str, ...] = ()
    """Modules that must be importable."""
    install: str = "pip install -r requirements.txt"
    devices: tuple[str, ...] = ("cpu",)
    """Where it can run: cuda, mps, cpu, or on a remote machine."""

    def missing(self) -> list[str]:
        """The needed modules that are not installed."""
        return [module for module in self.needs if importlib.util.find_spec(module) is None]

    def load(self) -> Any:
        """The class of the engine. Raises `UserError` with the command that installs what is missing."""
        if missing := self.missing():
            raise UserError(
                f"--{self.stage} {self.name} needs {', '.join(missing)}, which is not installed; "
                f"type: {self.install}"
            )
        return _named(self.module)

    def argument_class(self) -> type | None:
        """The dataclass of its flags."""
        return None if self.arguments is None else _named(self.arguments)


ROWS = (
    EngineRow(
        "vad",
        "silero",
        "Silero VAD v6",
        "VAD.silero:SileroDetector",
        needs=("onnxruntime",),
    ),
    EngineRow("vad", "energy", "loudness over the noise floor", "VAD.energy:EnergyDetector"),
    EngineRow(
        "stt",
        "moonshine",
        "small and fast; English built in",
        "STT.moonshine:MoonshineRecognizer",
        "arguments_classes.moonshine_arguments:MoonshineArguments",
        needs=("moonshine_voice",),
    ),
    EngineRow(
        "stt",
        "pocketsphinx",
        "English built in; for machines that Moonshine does not support",
        "STT.pocketsphinx:PocketsphinxRecognizer",
        "arguments_classes.pocketsphinx_arguments:PocketsphinxArguments",
        needs=("pocketsphinx",),
        install="pip install pocketsphinx",
    ),
    EngineRow(
        "llm",
        "openai",
        "any server that speaks the OpenAI chat protocol",
        "LLM.openai_chat:OpenAIChatModel",
        "arguments_classes.openai_arguments:OpenAIArguments",
        aliases=("open_api", "open_api_"),
        needs=("openai",),
        devices=("remote",),
    ),
    EngineRow(
        "llm",
        "transformers",
        "a model of the Hugging Face hub, in this process",
        "LLM.transformers_chat:TransformersChatModel",
        "arguments_classes.transformers_arguments:TransformersArguments",
        aliases=("lm_",),
        needs=("transformers", "torch"),
        install="pip install -e '.[transformers]'",
        devices=("cuda", "mps", "cpu"),
    ),
    EngineRow(
        "llm",
        "eliza",
        "a stand-in that needs no model, from 1966",
        "LLM.eliza:ElizaModel",
        needs=("nltk",),
    ),
    EngineRow(
        "tts",
        "espeak",
        "a robot in a hundred languages, built in",
        "TTS.espeak:EspeakSynthesizer",
        "arguments_classes.espeak_arguments:EspeakArguments",
        needs=("espeakng_loader",),
    ),
    EngineRow(
        "s2s",
        "tone",
        "TEST TONE: proves the audio path without a model",
        "S2S.tone:ToneResponder",
    ),
)

AUTO = "auto"
"""`--llm auto` is no engine: it looks for one."""


def rows(stage: str) -> tuple[EngineRow, ...]:
    """The engines of a stage."""
    return tuple(row for row in ROWS if row.stage == stage)


def find(stage: str, name: str) -> EngineRow:
    """The row of an engine by its name or an older spelling of it. Raises `UserError`."""
    for row in rows(stage):
        if name == row.name or name in row.aliases:
            return row
    names = [row.name for row in rows(stage)] + ([AUTO] if stage == "llm" else [])
    raise UserError(f"--{stage}: expected one of {', '.join(names)}, got {name!r}")


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
