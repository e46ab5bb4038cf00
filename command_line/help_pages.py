"""help_pages: the text of `--help`, and of `--help TOPIC`: a part, an engine, a mode, a preset, all."""

import argparse
import difflib
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.chat_server_arguments import ChatServerArguments
from arguments_classes.failover_arguments import FailoverArguments
from arguments_classes.module_arguments import ModuleArguments
from arguments_classes.vad_arguments import VADArguments
from catalog.presets import PRESETS, Preset
from catalog.registry import STAGES, EngineSpec, all_specs, specs
from command_line.arguments import MODES
from command_line.chosen import Candidates
from command_line.flag_rows import COLUMN, row, rows, shown, to_type
from command_line.parser import Parser
from command_line.word_pages import WORD_PAGES
from pipeline.errors import UserError
from utils.installation import program, typed

WIDEST = 100

EXAMPLES = (
    ("talk here", "talk", "--mode local"),
    ("talk on a page", "serve", "--mode websocket"),
    ("answer a file", "file question.wav", "--mode file --input question.wav"),
    ("larger models", "talk --preset cpu", "--mode local --preset cpu"),
    ("OpenAI's voice", "talk --s2s realtime", "--mode local --s2s realtime"),
    ("what is missing", "check", "--mode local --check"),
)
"""Purposes, the words of `s2s` that serve them, and the flags that these words stand for."""

_EXPLAINED = ("preset", "stt", "llm", "tts", "s2s", "language", "device")
"""The flags that the short page explains."""

_COMMANDS = ("check", "list_voices", "download", "install")
"""Flags for which `s2s` has words. The first one is among the examples."""

_HIDDEN = ("local_mac_optimal_settings",)
"""Flags that the short page leaves out: an older spelling of another."""

_PARTS = {
    "vad": "voice activity detectors",
    "stt": "recognizers: speech to text",
    "llm": "language models",
    "tts": "synthesizers: text to speech",
    "s2s": "end-to-end engines: speech to speech, in place of stt, llm and tts",
}


@dataclass(frozen=True, slots=True)
class HelpPages:
    """The pages for one command line, whose chosen parts the short page and those of parts show."""

    parser: Parser
    preset: Preset | None
    chosen: Candidates

    def page(self, topic: str) -> str:
        """The page about a topic; "": the short page. Raises `UserError` for an unknown topic."""
        width = min(shutil.get_terminal_size().columns, WIDEST)
        match topic.lower():
            case "":
                lines = self._short(width)
            case "all":
                lines = _everything(width, self.parser.get_default("mode"))
            case name if name in WORD_PAGES and program() == "s2s":
                lines = WORD_PAGES[name].lines(width)
            case name if name in STAGES:
                lines = self._part(name, width)
            case name if name in MODES:
                lines = _classes([MODES[name]], width)
            case name if name in PRESETS:
                lines = _presets([name], width)
            case "presets":
                lines = _presets(PRESETS, width)
            case name:
                lines = _engines(_find_engines(name), width)
        return "\n".join(lines)

    def _short(self, width: int) -> Iterator[str]:
        yield "Talk to your computer: it listens, thinks and answers aloud."
        yield from ("", "Examples")
        for purpose, words, flags in EXAMPLES:
            yield f"  {purpose:<{COLUMN - 2}}{typed(words, f'python s2s_pipeline.py {flags}')}"
        yield from ("", "Flags")
        by_name = {action.dest: action for action in self.parser._actions if shown([action])}
        explained = _EXPLAINED if program() == "s2s" else ("mode", *_EXPLAINED)
        yield from rows([by_name[name] for name in explained], width)
        yield from ("", "Flags of the chosen parts")
        known = _COMMANDS if program() == "s2s" else _COMMANDS[:1]
        elsewhere = {*explained, *known, *_HIDDEN, *self._useless()}
        for title, actions in self._groups():
            others = [to_type(each) for each in shown(actions) if each.dest not in elsewhere]
            if others:
                yield from row(title.removeprefix("--"), " ".join(others), width)
        yield ""
        if self.preset is not None:
            yield from textwrap.wrap(self.preset.described(), width)
        words = f"a word ({', '.join(WORD_PAGES)}), " if program() == "s2s" else "a mode, "
        yield from textwrap.wrap(
            f"--help all explains every flag, --help NAME {words}a part ({', '.join(_PARTS)}), an "
            "engine, or presets. A JSON file of settings may come first. See also --version.",
            width,
        )

    def _groups(self) -> Iterator[tuple[str, list[argparse.Action]]]:
        """The flags by group. Flags of an engine that the program chose are not parsed yet, only those
        of the one behind it: here are its own, since typing them keeps it."""
        for title, actions in self.parser.groups.items():
            stage, _, engine = title.removeprefix("--").partition(" ")
            first = next(iter(self.chosen.get(stage, ())), None)
            if first is None or not first.choice.dispensable or first.spec.name == engine:
                yield title, actions
            elif (flags := first.spec.argument_class()) is not None:
                yield from Parser([flags]).groups.items()

    def _useless(self) -> set[str]:
        """The times after which another engine takes over, of stages for which none was named."""
        several = {stage for stage, candidates in self.chosen.items() if candidates[-1].later}
        return {f"failover_{stage}_s" for stage in {*STAGES} - several}

    def _part(self, stage: str, width: int) -> Iterator[str]:
        yield from textwrap.wrap(f"--{stage}: {_PARTS[stage]}", width)
        for spec in specs(stage):
            yield from row(spec.name, spec.about, width)
        also = {"vad": "voice activity", "llm": "conversation"}.get(stage)
        for title, actions in self._groups():
            if title == also or title.startswith(f"--{stage} "):
                yield from _group(title, actions, width)
        yield from ("", f"For the flags of another engine: --help {specs(stage)[-1].name}")


def _everything(width: int, mode: str) -> Iterator[str]:
    """Every flag and every preset. `mode`: the default, which depends on the command."""
    engines = [flags for spec in all_specs() if (flags := spec.argument_class()) is not None]
    modes = dict.fromkeys(MODES.values())
    yield from _classes(
        [
            *(ModuleArguments, *modes, VADArguments, ChatArguments),
            *(ChatServerArguments, FailoverArguments, *engines),
        ],
        width,
        mode=mode,
    )
    yield from ("", *_presets(PRESETS, width))


def _classes(classes: Iterable[type], width: int, **defaults: str) -> Iterator[str]:
    for n, flags in enumerate(classes):
        parser = Parser([flags])
        parser.set_defaults(**defaults)
        for title, actions in parser.groups.items():
            yield from list(_group(title, actions, width))[n == 0 :]


def _group(title: str, actions: list[argparse.Action], width: int) -> Iterator[str]:
    yield from ("", title)
    yield from rows(actions, width)


def _presets(names: Iterable[str], width: int) -> Iterator[str]:
    yield "--preset"
    for name in names:
        preset = PRESETS[name]
        yield from row(name, f"{preset.about} ({preset.size})", width)
        yield from row("", preset.flags(), width)


def _engines(found: list[EngineSpec], width: int) -> Iterator[str]:
    for spec in found:
        yield f"--{spec.stage} {spec.name}: {spec.about}"
        if missing := spec.missing():
            yield f"  not installed ({', '.join(missing)}); type: {spec.install}"
        flags = spec.argument_class()
        actions = [] if flags is None else next(iter(Parser([flags]).groups.values()))
        yield from rows(actions, width) if actions else ["  it has no flags"]


def _find_engines(name: str) -> list[EngineSpec]:
    found = [spec for spec in all_specs() if name == spec.name or name in spec.aliases]
    if not found:
        words = WORD_PAGES if program() == "s2s" else ()
        engines = (spec.name for spec in all_specs())
        topics = [*words, "all", "presets", *STAGES, *MODES, *PRESETS, *engines]
        near = difflib.get_close_matches(name, topics, n=1)
        meant = f"; did you mean --help {near[0]}?" if near else ""
        raise UserError(
            f"--help: expected all, presets, {', '.join(STAGES)}, a mode or an engine, "
            f"got {name!r}{meant}"
        )
    return found
