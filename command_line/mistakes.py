"""Mistakes: one sentence about an argument that no chosen part knows."""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.file_arguments import FileArguments
from arguments_classes.module_arguments import ModuleArguments
from arguments_classes.vad_arguments import VADArguments
from catalog.presets import PRESETS
from catalog.registry import CASCADE, EngineSpec, all_specs
from command_line.aliases import older_prefixes
from command_line.arguments import MODES
from command_line.chosen import Candidates
from command_line.config_file import ConfigFile
from command_line.flag_names import flag_names, flags_of
from command_line.later_engines import prefix_of
from pipeline.errors import UserError

_KEY_ADVICE = (
    "a key does not belong on a command line or in a config file, where others can read it; put it into "
    "the environment variable OPENAI_API_KEY, or into a file that --llm_api_key_file names"
)

_CUTOFF = 0.6
"""Similarity from which a flag may be meant."""


def unknown_argument(argument: str, known: Sequence[str], chosen: Candidates, file: ConfigFile) -> str:
    """Say which part the argument belongs to, else which of the `known` flags is nearest to it. Its
    value is never repeated: it may be a key."""
    if not argument.startswith("--"):
        return (
            f"expected a flag (or a JSON file in front of all flags), got {argument!r}{_meant(argument)}"
        )
    (flag,) = flag_names([argument])
    if flag.endswith("api_key"):
        return f"{flag}: {_KEY_ADVICE}"
    return (
        _of_an_engine(flag, chosen)
        or _of_a_mode(flag)
        or _of_no_use(flag, chosen)
        or f"{file.no_such(flag)}{_nearest(flag, known)} (--help all shows all)"
    )


def expect_no_word(argument: str) -> None:
    """Raise `UserError` if the first argument is neither a flag nor a file, but the name of a part."""
    if not argument.startswith("-") and not Path(argument).exists() and (meant := _meant(argument)):
        raise UserError(f"expected a flag or a JSON file, got {argument!r}{meant}")


def expect_effect(module: ModuleArguments, argv: Sequence[str], chosen: Candidates) -> None:
    """Raise `UserError` for a language, answers while the user speaks, a voice detector or a process for
    a stage, if an end-to-end engine has no use for it."""
    given = {*flag_names(argv)}
    for spec in (each.spec for each in chosen.get("s2s", ()) if each.spec.duplex):
        if "--language" in given and module.language and "conversation" not in spec.features:
            raise UserError(
                f"--language is for the choice of a language, which --s2s {spec.name} does without"
            )
        if "--reply_mode" in given and module.reply_mode == "stream":
            raise UserError(f"--reply_mode stream is for turns, which --s2s {spec.name} does without")
        if "--vad" in given:
            raise UserError(
                f"--vad is for the detection of speech, which --s2s {spec.name} does without"
            )
    if module.s2s is not None and "--isolate" in given and module.isolate not in (None, "none"):
        stages = str(module.isolate).split(",")
        if useless := [stage for stage in stages if stage in CASCADE]:
            raise UserError(f"--isolate: expected s2s or none, as --s2s does without {useless[0]}")


def expect_waits(module: ModuleArguments, mode: object) -> None:
    """Raise `UserError` for a report of waits in a run in which nobody waits."""
    hurries = isinstance(mode, FileArguments) and not mode.realtime
    if module.latency_report and hurries and module.s2s is None:
        raise UserError(
            "--latency_report: expected --realtime with it, since without that the recording runs as "
            "fast as the engines allow, and nobody waits for an answer"
        )


def _meant(word: str) -> str:
    """The flag that a word such as "local", "cpu" or "-v" may stand for, as a question."""
    name = word.lstrip("-")
    flags = [f"--mode {name}"] if name in MODES else []
    flags += [f"--preset {name}"] if name in PRESETS else []
    flags += [f"--{spec.stage} {spec.name}" for spec in all_specs() if name == spec.name]
    switches = ["help", "version", *(field.name for field in dataclasses.fields(ModuleArguments))]
    if not flags and name:
        begins = [each for each in ("help", "version") if word in (f"-{each[0]}", f"-{each[0].upper()}")]
        near = begins or difflib.get_close_matches(name.replace("-", "_"), switches, n=1, cutoff=_CUTOFF)
        flags = [f"--{each}" for each in near]
    return f"; did you mean {' or '.join(flags)}?" if flags else ""


def _of_an_engine(flag: str, chosen: Candidates) -> str | None:
    owners = [spec for spec in all_specs() if _has_flag(spec, flag)]
    later = [each.spec for stage in chosen.values() for each in stage if each.later]
    for spec in owners:
        if spec in later:
            own = flag.replace(f"{spec.stage}_", prefix_of(spec, later=True), 1)
            return f"{flag}: {spec.name} comes after another engine, so its flag is {own}"
    if not owners:
        return None
    names = ", ".join(f"--{spec.stage} {spec.name}" for spec in owners)
    which = "which is not the one" if len(owners) == 1 else "none of which is"
    return f"{flag} belongs to {names}, {which} chosen"


def _has_flag(spec: EngineSpec, flag: str) -> bool:
    return flag in flags_of(spec.argument_class()) or flag.startswith(tuple(older_prefixes(spec)))


def _of_a_mode(flag: str) -> str | None:
    for mode, group in MODES.items():
        if flag in flags_of(group):
            return f"{flag} belongs to --mode {mode}, which is not the one chosen"
    return None


def _of_no_use(flag: str, chosen: Candidates) -> str | None:
    """Refuse flags of the voice detector, or of the conversation, if the end-to-end engine has none."""
    for group, what in ((VADArguments, "the detection of speech"), (ChatArguments, "the conversation")):
        if flag in flags_of(group):
            return f"{flag} is for {what}, which --s2s {chosen['s2s'][0].spec.name} does without"
    return None


def _nearest(flag: str, known: Sequence[str]) -> str:
    """The most similar flag, of the chosen parts if it is as similar as that of any other."""
    flags = [*known, *_flags_of_all_parts()]
    names = {each.lstrip("-"): each for each in reversed(flags)}  # alike dashes would count
    near = difflib.get_close_matches(flag.lstrip("-").lower(), list(names), n=1, cutoff=_CUTOFF)
    return f"; the nearest is {names[near[0]]}" if near else ""


def _flags_of_all_parts() -> Iterator[str]:
    for group in (VADArguments, ChatArguments, *MODES.values()):
        yield from flags_of(group)
    for spec in all_specs():
        yield from flags_of(spec.argument_class())
