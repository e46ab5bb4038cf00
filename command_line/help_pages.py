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
from catalog.environments import ENVIRONMENTS
from catalog.presets import PRESETS, Preset
from catalog.registry import STAGES, EngineSpec, all_specs, specs
from command_line.arguments import MODES
from command_line.chosen import Candidates
from command_line.flag_rows import COLUMN, row, rows, shown, to_type
from command_line.parser import Parser
from pipeline.errors import UserError
from utils.installation import program, typed

WIDEST = 100

EXAMPLES = (
    ("talk here", "talk", "--mode local"),
    ("talk on a page", "serve", "--mode websocket"),
    ("better parts", "talk --preset cpu", "--mode local --preset cpu"),
    ("OpenAI's voice", "talk --s2s realtime", "--mode local --s2s realtime"),
    ("answer a file", "file question.wav", "--mode file --input question.wav"),
    ("what is missing", "check", "--mode local --check"),
)
"""Purposes, the words of `s2s` that serve them, and the flags that these words stand for."""

_WORDS = (
    ("the voices", "s2s voices kokoro"),
    ("fetch models", "s2s get cpu"),
    ("one more engine", "s2s install parler"),
)
"""Examples of the words that stand for no conversation."""

_PAGES = {
    "check": (
        "s2s check [all] [flags]",
        "Says what must be fixed before you can talk, what would be better, and what is ready, each "
        "with what to type. With all it shows every engine, model and variable, too. The flags are "
        "those of the conversation that you mean.",
        ("s2s check", "s2s check all", "s2s check --mode websocket --preset cuda"),
    ),
    "voices": (
        "s2s voices [engine] [flags]",
        "Lists the voices of the engine that speaks, or of another: a synthesizer, or an end-to-end "
        "engine. --tts_voice NAME chooses one of a synthesizer that --tts names.",
        ("s2s voices", "s2s voices kokoro", "s2s talk --tts kokoro --tts_voice af_heart"),
    ),
    "get": (
        "s2s get [name] [flags]",
        "Downloads models before they are needed: without a name those that are built in, with one a "
        "better part or the models of a preset, with flags those of the parts that they choose.",
        ("s2s get", "s2s get kokoro", "s2s get cpu", "s2s get --stt faster-whisper"),
    ),
    "install": (
        "s2s install engine",
        "Installs an engine in an environment of its own, apart from the others, whose packages it "
        f"would disturb: {', '.join(environment.name for environment in ENVIRONMENTS)}.",
        ("s2s install parler",),
    ),
}
"""Words of `s2s` that stand for no conversation: what to type, what it does, and examples."""

_SHORT = ("mode", "preset", "stt", "llm", "tts", "s2s", "language", "device")
"""The flags that the short page explains."""

_COMMANDS = ("check", "list_voices", "download", "install")
"""Flags for which `s2s` has words."""

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
                lines = _everything(width)
            case name if name in _PAGES and program() == "s2s":
                lines = _word(name, width)
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
        if program() == "s2s":
            yield from (f"  {purpose:<{COLUMN - 2}}{words}" for purpose, words in _WORDS)
        yield from ("", "Flags")
        by_name = {action.dest: action for action in self.parser._actions if shown([action])}
        explained = _SHORT if program() == "s2s" else (*_SHORT, *_COMMANDS)
        yield from rows([by_name[name] for name in explained], width)
        yield from ("", "Flags of the chosen parts")
        for title, actions in self.parser.groups.items():
            others = [to_type(each) for each in shown(actions) if each.dest not in (*_SHORT, *_COMMANDS)]
            part = title.removeprefix("--")
            yield from row(part, " ".join([*self._instead(part), *others]), width)
        yield ""
        if self.preset is not None:
            yield from textwrap.wrap(self.preset.described(), width)
        yield from textwrap.wrap(
            "--help all explains every flag, --help NAME one part: stt, llm, tts, s2s, vad, an engine, "
            "a mode, or presets. A JSON file may come first. See also --version.",
            width,
        )

    def _instead(self, part: str) -> Iterator[str]:
        """The engine in whose place the program takes this one if one of its flags is typed."""
        stage, _, engine = part.partition(" ")
        first = next(iter(self.chosen.get(stage, ())), None)
        if first is not None and first.flags is None and first.spec.name != engine:
            yield f"in place of {first.spec.name}:"

    def _part(self, stage: str, width: int) -> Iterator[str]:
        yield from textwrap.wrap(f"--{stage}: {_PARTS[stage]}", width)
        for spec in specs(stage):
            yield from row(spec.name, spec.about, width)
        titles = [title for title in self.parser.groups if title.startswith(f"--{stage} ")]
        titles += {"vad": ["voice activity"], "llm": ["conversation"]}.get(stage, [])
        for title in titles:
            if title in self.parser.groups:
                yield from _group(title, self.parser.groups[title], width)
        yield from ("", f"For the flags of another engine: --help {specs(stage)[-1].name}")


def _word(name: str, width: int) -> Iterator[str]:
    usage, about, examples = _PAGES[name]
    yield from (usage, "", *textwrap.wrap(about, width), "", "Examples")
    yield from (f"  {example}" for example in examples)


def _everything(width: int) -> Iterator[str]:
    engines = [flags for spec in all_specs() if (flags := spec.argument_class()) is not None]
    modes = dict.fromkeys(MODES.values())
    yield from _classes(
        [
            *(ModuleArguments, *modes, VADArguments, ChatArguments),
            *(ChatServerArguments, FailoverArguments, *engines),
        ],
        width,
    )
    yield from ("", *_presets(PRESETS, width))


def _classes(classes: Iterable[type], width: int) -> Iterator[str]:
    for n, flags in enumerate(classes):
        for title, actions in Parser([flags]).groups.items():
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
        words = _PAGES if program() == "s2s" else ()
        engines = (spec.name for spec in all_specs())
        topics = [*words, "all", "presets", *STAGES, *MODES, *PRESETS, *engines]
        near = difflib.get_close_matches(name, topics, n=1)
        meant = f"; did you mean --help {near[0]}?" if near else ""
        raise UserError(
            f"--help: expected all, presets, {', '.join(STAGES)}, a mode or an engine, "
            f"got {name!r}{meant}"
        )
    return found
