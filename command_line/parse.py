"""The command line: from what was typed, or a JSON file, to the chosen parts and their settings."""

import dataclasses
import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from transformers import HfArgumentParser

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.chat_server_arguments import ChatServerArguments
from arguments_classes.failover_arguments import FailoverArguments
from arguments_classes.file_arguments import FileArguments
from arguments_classes.local_arguments import LocalArguments
from arguments_classes.module_arguments import ModuleArguments
from arguments_classes.socket_arguments import SocketArguments
from arguments_classes.vad_arguments import VADArguments
from arguments_classes.websocket_arguments import WebSocketArguments
from catalogue.choice import Choice, choose
from catalogue.people import people_of
from catalogue.presets import find_preset
from catalogue.registry import AUTO, CASCADE, EngineSpec, all_specs, find
from command_line.later_engines import as_first, later_flags, prefix_of
from pipeline.errors import UserError
from pipeline.settings import SessionSettings

MODES = {
    "socket": SocketArguments,
    "websocket": WebSocketArguments,
    "realtime": WebSocketArguments,
    "local": LocalArguments,
    "file": FileArguments,
}

_KEY_ADVICE = (
    "a key does not belong on a command line or in a config file, where others can read it; put it into "
    "the environment variable OPENAI_API_KEY, or into a file that --llm_api_key_file names"
)


@dataclass(frozen=True, slots=True)
class ChosenEngine:
    """An engine and what it is to be called with."""

    spec: EngineSpec
    settings: dict[str, Any]
    prefix: str
    """Of its flags."""
    why: str = ""
    """Where it was chosen by itself."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """All that was chosen."""

    module: ModuleArguments
    vad: VADArguments
    chat: ChatArguments
    mode: SocketArguments | WebSocketArguments | LocalArguments | FileArguments
    engines: dict[str, tuple[ChosenEngine, ...]]
    """By stage, those of which the next takes over; "llm" is missing where one is to be looked for."""
    auto: dict[str, Any]
    """What the language model that is found is to be called with."""
    failover: FailoverArguments

    def session_settings(self) -> SessionSettings:
        """With which each conversation begins."""
        by_hand = isinstance(self.mode, LocalArguments) and self.mode.push_to_talk
        streams = self.module.reply_mode == "stream"
        return SessionSettings(
            language=self.module.language or self._language_of_the_voice(),
            hands_free=not by_hand,
            reply_mode="stream" if streams else "turn",
        )

    def _language_of_the_voice(self) -> str | None:
        for synthesizer in self.engines.get("tts", ())[:1]:
            person = people_of(synthesizer.spec.name).get(synthesizer.settings.get("voice") or "")
            return None if person is None else person.language
        return None

    def own_ports(self) -> tuple[int, ...]:
        """The ports on which this program itself will listen."""
        match self.mode:
            case SocketArguments(recv_port=microphone, send_port=loudspeaker):
                return microphone, loudspeaker
            case WebSocketArguments(port=port):
                return (port,)
        return ()


def parse_command_line(argv: Sequence[str]) -> Arguments:
    """Parse ``[config.json] [flags]``; flags win over the file. Raises `UserError`; --help exits."""
    argv = _with_config(list(argv))
    chooser = _Parser(ModuleArguments, add_help=False)
    module = chooser.parse(argv)[0]
    preset = find_preset(module.preset, mac=module.local_mac_optimal_settings)
    if preset is not None:
        chooser.set_defaults(**preset.choices())
        module = chooser.parse(argv)[0]
    by_itself = _chosen_by_itself(module, argv)
    chosen = _chosen_rows(module, by_itself)
    argv = _without_aliases(argv, [specs[0] for specs in chosen.values()])
    classes: list[Any] = [ModuleArguments, MODES[module.mode], VADArguments]
    if "s2s" not in chosen:
        classes.append(ChatArguments)
        if "llm" not in chosen:
            classes.append(ChatServerArguments)
    if any(len(specs) > 1 for specs in chosen.values()):
        classes.append(FailoverArguments)
    flags = [_flags_of(spec, later=n > 0) for specs in chosen.values() for n, spec in enumerate(specs)]
    classes += filter(None, flags)
    epilog = None if preset is None else preset.described()
    parser = _Parser(classes, prog="s2s_pipeline.py", description=_DESCRIPTION, epilog=epilog)
    if preset is not None:
        parts = {stage: getattr(module, stage) for stage in CASCADE if module.s2s is None}
        parser.set_defaults(**preset.choices(), **preset.settings_for(parts))
    parser.set_defaults(**{f"{stage}_model_name": c.model for stage, c in by_itself.items() if c.model})
    *parsed, unknown = parser.parse(argv)
    if unknown:
        raise UserError(_unknown_argument(unknown[0], parser, chosen))
    by_class = dict(zip(classes, parsed, strict=True))
    parsed_flags = iter([by_class.get(each) for each in flags])
    engines = {
        stage: tuple(
            _choice(spec, next(parsed_flags), by_itself.get(stage), later=n > 0)
            for n, spec in enumerate(specs)
        )
        for stage, specs in chosen.items()
    }
    mode = by_class[MODES[module.mode]]
    chat = by_class.get(ChatArguments) or ChatArguments()
    auto = _engine_settings("llm", by_class.get(ChatServerArguments))
    failover = by_class.get(FailoverArguments) or FailoverArguments()
    return Arguments(
        by_class[ModuleArguments], by_class[VADArguments], chat, mode, engines, auto, failover
    )


_DESCRIPTION = (
    "Talk to a machine and it talks back. The flags below are those of the chosen parts: choose others "
    "(--mode, --stt, ...) together with --help to see theirs. A JSON file may hold the same settings: "
    "s2s_pipeline.py config.json"
)


class _Parser(HfArgumentParser):  # type: ignore[misc]
    """Says what is wrong in one sentence, takes no abbreviations."""

    def __init__(self, classes: Any, **kwargs: Any) -> None:
        super().__init__(classes, allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        raise UserError(message)

    def parse(self, argv: list[str]) -> list[Any]:
        """The dataclasses, and last what was not understood."""
        parsed = self.parse_args_into_dataclasses(
            argv, return_remaining_strings=True, look_for_args_file=False
        )
        return list(parsed)


def _chosen_by_itself(module: ModuleArguments, argv: Sequence[str]) -> dict[str, Choice]:
    names = {} if module.s2s is not None else {"stt": module.stt, "tts": module.tts}
    return {stage: choose(stage, argv, module.language) for stage, name in names.items() if name == AUTO}


def _chosen_rows(
    module: ModuleArguments, by_itself: Mapping[str, Choice]
) -> dict[str, tuple[EngineSpec, ...]]:
    chosen: dict[str, tuple[EngineSpec, ...]] = {"vad": (find("vad", module.vad),)}
    if module.s2s is not None:
        return chosen | {"s2s": (find("s2s", module.s2s),)}
    for stage, names in (("stt", module.stt), ("tts", module.tts), ("llm", module.llm)):
        if stage in by_itself:
            chosen[stage] = (by_itself[stage].spec,)
        elif names != AUTO:
            chosen[stage] = _in_order(stage, names)
    return chosen


def _in_order(stage: str, names: str) -> tuple[EngineSpec, ...]:
    """One engine, or several by commas, of which the next takes over from one that fails."""
    listed = [name.strip() for name in names.split(",")]
    if len(listed) > 1 and AUTO in listed:
        raise UserError(f"--{stage}: expected engines by their names, or {AUTO} alone, got {names}")
    first, *later = (find(stage, name) for name in listed)
    if len(set(later)) < len(later):
        raise UserError(f"--{stage}: expected each engine once behind the first, got {names}")
    return first, *later


def _flags_of(spec: EngineSpec, *, later: bool) -> type | None:
    flags = spec.argument_class()
    return later_flags(spec, flags) if flags is not None and later else flags


def _choice(spec: EngineSpec, parsed: Any, by_itself: Choice | None, *, later: bool) -> ChosenEngine:
    flags = spec.argument_class()
    if later and flags is not None:
        parsed = as_first(spec, flags, parsed)
    settings, prefix = _engine_settings(spec.stage, parsed), prefix_of(spec, later=later)
    return ChosenEngine(spec, settings, prefix, "" if by_itself is None else by_itself.why)


def _engine_settings(stage: str, arguments: Any) -> dict[str, Any]:
    """Fields ▶ keyword arguments of the engine: the prefix is cut off; those of `gen_*` that are set go
    into `gen_kwargs`."""
    settings: dict[str, Any] = {}
    generation: dict[str, Any] = {}
    for name, value in dataclasses.asdict(arguments).items() if arguments else ():
        name = name.removeprefix(f"{stage}_")
        if not name.startswith("gen_"):
            settings[name] = value
        elif value is not None:
            generation[name.removeprefix("gen_")] = value
    return settings | ({"gen_kwargs": generation} if generation else {})


def _with_config(argv: list[str]) -> list[str]:
    """Put the settings of a JSON file in front of the flags."""
    if not argv or argv[0].startswith("-"):
        return argv
    path = Path(argv[0])
    try:
        settings = json.loads(path.read_text("utf-8-sig"))  # as some editors write it
    except OSError as error:
        raise UserError(f"{path}: expected a JSON file with settings: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(settings, dict):
        raise UserError(f"{path}: expected an object with settings, got {type(settings).__name__}")
    flags: list[str] = []
    for name, value in settings.items():
        if isinstance(value, (dict, list)):
            kind = type(value).__name__  # and not its value, which may be a key
            raise UserError(f"{path}: {name}: expected a single value, got a {kind}")
        if value is not None:
            flags.append(f"--{name}={str(value).lower() if isinstance(value, bool) else value}")
    return flags + argv[1:]


def _without_aliases(argv: list[str], chosen: Iterable[EngineSpec]) -> list[str]:
    """Write older prefixes of flags as the present ones."""
    prefixes = {
        f"--{alias}": f"--{spec.stage}_"
        for spec in chosen
        for alias in spec.aliases
        if alias.endswith("_")
    }
    translated = []
    for argument in argv:
        for old, new in prefixes.items():
            if argument.startswith(old):
                argument = new + argument.removeprefix(old)
        translated.append(argument)
    return translated


def _unknown_argument(argument: str, parser: _Parser, chosen: Mapping[str, Sequence[EngineSpec]]) -> str:
    if not argument.startswith("--"):
        return f"expected a flag or a JSON file in front of the flags, got {argument!r}"
    flag = argument.split("=")[0].replace("-", "_").replace("__", "--", 1)
    if flag.endswith("api_key"):
        return f"{flag}: {_KEY_ADVICE}"
    owners = [spec for spec in all_specs() if _has_flag(spec, flag)]
    for spec in owners:
        if spec in chosen.get(spec.stage, ())[1:]:
            own = flag.replace(f"{spec.stage}_", prefix_of(spec, later=True), 1)
            return f"{flag}: {spec.name} stands behind another engine, so its flag is {own}"
    if owners:
        names = ", ".join(f"--{spec.stage} {spec.name}" for spec in owners)
        which = "which is not the one" if len(owners) == 1 else "none of which is"
        return f"{flag} belongs to {names}, {which} chosen"
    for mode, arguments in MODES.items():
        if flag in [f"--{field.name}" for field in dataclasses.fields(arguments)]:
            return f"{flag} belongs to --mode {mode}, which is not the one chosen"
    known = [name for action in parser._actions for name in action.option_strings]
    nearest = difflib.get_close_matches(flag.lower(), known, n=1, cutoff=0)
    return f"there is no flag {flag}; the nearest is {nearest[0]} (--help shows all)"


def _has_flag(spec: EngineSpec, flag: str) -> bool:
    names = [f"--{field.name}" for field in dataclasses.fields(spec.argument_class() or _NoArguments)]
    old = [f"--{alias}" for alias in spec.aliases if alias.endswith("_")]
    return flag in names or any(flag.startswith(prefix) for prefix in old)


@dataclass
class _NoArguments:
    """Of an engine without flags."""
