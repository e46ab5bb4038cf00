"""Mistakes: one sentence about an argument that no chosen part knows."""

import dataclasses
import difflib
from collections.abc import Sequence

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.vad_arguments import VADArguments
from catalog.registry import EngineSpec, all_specs
from command_line.aliases import older_prefixes
from command_line.arguments import MODES
from command_line.chosen import Candidates
from command_line.later_engines import prefix_of

_KEY_ADVICE = (
    "a key does not belong on a command line or in a config file, where others can read it; put it into "
    "the environment variable OPENAI_API_KEY, or into a file that --llm_api_key_file names"
)


def unknown_argument(argument: str, known: Sequence[str], chosen: Candidates) -> str:
    """Say which part the argument belongs to, else which of the `known` flags is nearest to it. Its
    value is never repeated: it may be a key."""
    if not argument.startswith("--"):
        return f"expected a flag (or a JSON file in front of all flags), got {argument!r}"
    flag = argument.split("=")[0].replace("-", "_").replace("__", "--", 1)
    if flag.endswith("api_key"):
        return f"{flag}: {_KEY_ADVICE}"
    return (
        _of_an_engine(flag, chosen)
        or _of_a_mode(flag)
        or _of_no_use(flag, chosen)
        or f"there is no flag {flag}; the nearest is {_nearest(flag, known)} (--help shows all)"
    )


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
    flags = spec.argument_class()
    names = [f"--{field.name}" for field in dataclasses.fields(flags)] if flags is not None else []
    return flag in names or flag.startswith(tuple(older_prefixes(spec)))


def _of_a_mode(flag: str) -> str | None:
    for mode in MODES:
        if flag in _flags_of_mode(mode):
            return f"{flag} belongs to --mode {mode}, which is not the one chosen"
    return None


def _flags_of_mode(mode: str) -> list[str]:
    return [f"--{field.name}" for field in dataclasses.fields(MODES[mode])]


def _of_no_use(flag: str, chosen: Candidates) -> str | None:
    """Refuse flags of the voice detector, or of the conversation, if the end-to-end engine has none."""
    for group, what in ((VADArguments, "the detection of speech"), (ChatArguments, "the conversation")):
        if flag in [f"--{field.name}" for field in dataclasses.fields(group)]:
            return f"{flag} is for {what}, which --s2s {chosen['s2s'][0].spec.name} does without"
    return None


def _nearest(flag: str, known: Sequence[str]) -> str:
    """The most similar flag, of the chosen parts or of any mode."""
    flags = [*known, *(name for mode in MODES for name in _flags_of_mode(mode))]
    return difflib.get_close_matches(flag.lower(), flags, n=1, cutoff=0)[0]
