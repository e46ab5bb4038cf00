"""The registry: one row for each engine, with its name, its module, and its needs.

The rows of each stage are in a file of their own, for example catalog/tts.py.
"""

import functools
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Literal, TypeAlias

from catalog.environments import find_environment
from catalog.meant import meant
from pipeline.errors import Unavailable, UserError
from utils.installation import ROOT, install_extra, install_requirements, typed

CASCADE = ("stt", "llm", "tts")
"""The stages that an end-to-end engine replaces."""

STAGES = ("vad", *CASCADE, "s2s")

Feature: TypeAlias = Literal["conversation", "typed text", "tools", "your words", "its words"]
"""Features of an end-to-end engine besides speech. In this order: it knows the conversation so far and
accepts instructions; answers typed text; calls functions; writes the user's words; writes its own."""

Tested: TypeAlias = Literal[
    "real weights", "tiny random weights", "tiny random weights, patched", "a server in the tests", ""
]


@dataclass(frozen=True, slots=True)
class EngineSpec:
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
    extra: str | None = None
    """The extra of pyproject.toml that installs them; None: they are always installed."""
    environment: str | None = None
    """The environment in which it runs, in a process of its own; None: it can live beside the others."""
    foreign: tuple[str, ...] = ()
    """Names of our folders that mean a package of its library instead: coqui-tts brings one named TTS.
    It always has a process of its own."""
    duplex: bool = False
    """True for a full-duplex engine, which needs no voice detector."""
    placeholder: bool = False
    """True if it only shows that the program works, so a newcomer should replace it soon."""
    features: tuple[Feature, ...] = ()
    """The features of an end-to-end engine; `conversation` gives it the flags of the conversation."""
    long_in_python: bool = False
    """Set if a call computes long in Python, which delays the audio of all sessions; servers then give
    the engine a process of its own."""
    devices: tuple[str, ...] = ("cpu",)
    """Devices: cuda, mps, cpu, or a remote machine."""
    languages: str = ""
    """Languages; this and all fields below are for docs/engines.md."""
    streams: str = ""
    """The output that comes early: partial words, audio in mid-sentence."""
    size: str = ""
    """Size of the default model, to download."""
    license: str = ""
    """Licenses of the code and of the weights."""
    tested: Tested = ""
    remarks: str = ""

    @property
    def install(self) -> str:
        """The command that installs the engine."""
        if self.environment is not None:
            words, old = f"install {self.environment}", f"--install {self.environment}"
            return typed(words, f"python s2s_pipeline.py {old}")
        return install_requirements() if self.extra is None else install_extra(self.extra)

    def missing(self) -> list[str]:
        """The needed modules that are not installed; or the environment in which it runs."""
        if self.environment is not None:
            there = find_environment(self.environment).installed
            return [] if there else [f"the environment {self.environment}"]
        return [module for module in self.needs if not self._is_there(module)]

    def expect_installed(self) -> None:
        """Raise `Unavailable` with the command that installs what is missing."""
        if missing := self.missing():
            raise Unavailable(
                f"--{self.stage} {self.name} needs {' and '.join(missing)}, which "
                f"{'is' if len(missing) == 1 else 'are'} not installed; type: {self.install}"
            )

    def load(self) -> Any:
        """The class of the engine. Raises `Unavailable` if something is missing, such as a system
        library that a package needs."""
        self.expect_installed()
        try:
            return _named(self.module)
        except ImportError as error:
            hint = "; on Debian and Ubuntu: apt install libgomp1" if "libgomp" in str(error) else ""
            raise Unavailable(f"--{self.stage} {self.name} cannot be loaded: {error}{hint}") from error

    def _is_there(self, module: str) -> bool:
        if module not in self.foreign:
            return importlib.util.find_spec(module) is not None
        elsewhere = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
        return PathFinder.find_spec(module, elsewhere) is not None

    def argument_class(self) -> type | None:
        """The dataclass of its flags."""
        return None if self.arguments is None else _named(self.arguments)


AUTO = "auto"
"""The name that stands for a choice at start. See `catalog.choice`, and `LLM.auto`."""


@functools.cache
def specs(stage: str) -> tuple[EngineSpec, ...]:
    """The engines of a stage."""
    return tuple(_named(f"catalog.{stage}:CATALOG"))


def all_specs() -> tuple[EngineSpec, ...]:
    """The engines of all stages."""
    return tuple(spec for stage in STAGES for spec in specs(stage))


def find(stage: str, name: str) -> EngineSpec:
    """The row of an engine by its name or an older spelling of it. Raises `UserError`."""
    for spec in specs(stage):
        if name == spec.name or name in spec.aliases:
            return spec
    names = [spec.name for spec in specs(stage)] + ([AUTO] if stage in CASCADE else [])
    others = [spec.stage for spec in all_specs() if spec.name == name]
    question = meant(stage, name, others, names)
    raise UserError(f"--{stage}: expected one of {', '.join(names)}, got {name!r}{question}")


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
