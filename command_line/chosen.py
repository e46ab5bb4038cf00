"""Chosen engines: finds the catalog rows, flags and settings for the names on the command line."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arguments_classes.module_arguments import ModuleArguments
from catalog.choice import Choice, choose, named
from catalog.registry import AUTO, EngineSpec, find
from command_line.later_engines import as_first, later_flags, prefix_of
from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class ChosenEngine:
    """A chosen engine and the keyword arguments that it is created with."""

    spec: EngineSpec
    settings: dict[str, Any]
    prefix: str
    """The prefix of its flags, such as "tts_"."""
    why: str = ""
    """The reason for the choice, if the program chose."""
    dispensable: bool = False
    """True if the program chose it and starts without it if it does not load."""


@dataclass(frozen=True)
class Candidate:
    """A chosen engine whose flags are not parsed yet. `later`: another engine comes before it."""

    choice: Choice
    later: bool = False

    @property
    def spec(self) -> EngineSpec:
        """Its row in the catalog."""
        return self.choice.spec

    @property
    def prefix(self) -> str:
        """The prefix of its flags."""
        return prefix_of(self.spec, later=self.later)

    @property
    def keeps_chat(self) -> bool:
        """True if an end-to-end engine is chosen that gets instructions and the conversation so far."""
        return "conversation" in self.spec.features

    @functools.cached_property
    def flags(self) -> type | None:
        """The dataclass of its flags, under its own prefix; None: it has none, or the flags of the stage
        are for another engine."""
        if self.choice.dispensable:
            return None
        flags = self.spec.argument_class()
        return later_flags(self.spec, flags) if flags is not None and self.later else flags

    def with_flags(self, parsed: Mapping[type, Any]) -> ChosenEngine:
        """Add the values of `flags`, found by class. Raises `UserError` for one that is refused."""
        own = None if self.flags is None else parsed[self.flags]
        flags = self.spec.argument_class()
        if self.later and flags is not None:
            own = as_first(self.spec, flags, own)
        settings = engine_settings(self.spec.stage, own)
        choice = self.choice
        return ChosenEngine(self.spec, settings, self.prefix, choice.why, choice.dispensable)


Candidates = Mapping[str, Sequence[Candidate]]
"""The candidates of each stage in order: the next one takes over from one that fails. "llm" is missing
if a language model still has to be found."""


def choose_engines(
    module: ModuleArguments, argv: Sequence[str], *, all_fetched: bool = False
) -> Candidates:
    """The engines that the user named, and the best available one for `auto`. `all_fetched`: as if the
    built-in models were here. Raises `UserError`."""
    vad = [Candidate(Choice(find("vad", module.vad)))]
    if module.s2s is not None:
        responders = _by_names("s2s", module.s2s, module.language)
        duplex = next((each.spec.name for each in responders if each.spec.duplex), None)
        if duplex is not None and len(responders) > 1:
            raise UserError(
                f"--s2s: expected {duplex} alone, got {module.s2s}; a full-duplex model hears the whole "
                "conversation, so no other engine can take over in the middle"
            )
        return {"s2s": responders} if duplex is not None else {"vad": vad, "s2s": responders}
    chosen = {"vad": vad}
    for stage, names in (("stt", module.stt), ("tts", module.tts), ("llm", module.llm)):
        if names != AUTO:
            chosen[stage] = _by_names(stage, names, module.language)
        elif stage != "llm":
            choices = choose(stage, argv, module.language, all_fetched=all_fetched)
            taken = not choices[0].dispensable  # then the flags are for the first of them
            chosen[stage] = [Candidate(each, later=taken and n > 0) for n, each in enumerate(choices)]
    return chosen


def engine_settings(stage: str, arguments: Any) -> dict[str, Any]:
    """Fields ▶ keyword arguments of the engine: the prefix of the stage is cut off; every `gen_*` that
    is set goes into `gen_kwargs`. An engine without flags (None) has no settings."""
    settings: dict[str, Any] = {}
    generation: dict[str, Any] = {}
    for name, value in dataclasses.asdict(arguments).items() if arguments else ():
        name = name.removeprefix(f"{stage}_")
        if not name.startswith("gen_"):
            settings[name] = value
        elif value is not None:
            generation[name.removeprefix("gen_")] = value
    return settings | ({"gen_kwargs": generation} if generation else {})


def _by_names(stage: str, names: str, language: str | None) -> list[Candidate]:
    """One engine, or several separated by commas. Raises `UserError`."""
    listed = [name.strip() for name in names.split(",")]
    if stage != "s2s" and len(listed) > 1 and AUTO in listed:
        raise UserError(f"--{stage}: expected engines by name, or {AUTO} alone, got {names}")
    rows = [find(stage, name) for name in listed]
    if len(set(rows[1:])) < len(rows[1:]):
        raise UserError(f"--{stage}: expected each engine at most once after the first, got {names}")
    if rows[0] in rows[1:] and rows[0].arguments is None:
        raise UserError(
            f"--{stage}: expected each engine once, got {names}; {rows[0].name} has no flags by which "
            "the second could differ from the first"
        )
    return [Candidate(named(spec, language), later=n > 0) for n, spec in enumerate(rows)]
