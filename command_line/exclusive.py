"""Parts that exclude each other: --s2s, or --stt, --llm and --tts; and settings of a file that belong to
a part that the command line replaces."""

import dataclasses
from collections.abc import Mapping, Sequence

from catalog.registry import CASCADE, specs
from command_line.aliases import older_prefixes
from command_line.arguments import MODES
from pipeline.errors import UserError

_STAGES = (*CASCADE, "s2s")


def named_stages(argv: Sequence[str]) -> set[str]:
    """The stages whose engine these flags name."""
    return named_parts(argv).keys() & {*_STAGES}


def named_parts(argv: Sequence[str]) -> Mapping[str, str]:
    """The mode and the engines that these flags name, such as {"mode": "local", "tts": "kokoro"}."""
    named = {}
    for n, argument in enumerate(argv):
        flag, equals, value = argument.partition("=")
        part = flag.removeprefix("--")
        if flag.startswith("--") and part in ("mode", *_STAGES):
            named[part] = value if equals else next(iter(argv[n + 1 : n + 2]), "")
    return named


def replaced_by(named: set[str]) -> set[str]:
    """The stages that cannot be combined with the named ones."""
    if "s2s" in named:
        return set(CASCADE)
    return {"s2s"} if named else set()


def expect_one_kind(argv: Sequence[str]) -> None:
    """Raise `UserError` if these flags name both an end-to-end engine and an engine of a stage that it
    replaces."""
    named = named_stages(argv)
    if beside := [f"--{stage}" for stage in CASCADE if stage in named & replaced_by(named)]:
        raise UserError(
            f"--s2s takes the place of --stt, --llm and --tts; leave out "
            f"{' and '.join(beside)}, or --s2s"
        )


def without_replaced(settings: Sequence[str], flags: Sequence[str]) -> list[str]:
    """The settings of a file, ``--name=value``, without those of parts that the flags replace: a stage
    that an end-to-end engine replaces, or the reverse; another engine of a stage; another mode."""
    before, now = named_parts(settings), named_parts(flags)
    changed = {part for part in before.keys() & now.keys() if before[part] != now[part]}
    stages = {stage for stage in _STAGES if stage in changed} | replaced_by(named_stages(flags))
    begins = tuple(f"--{stage}_" for stage in stages)
    for spec in (spec for stage in stages for spec in specs(stage)):
        begins += tuple(older_prefixes(spec))
    names = {f"--{stage}" for stage in stages}
    if "mode" in changed and {before["mode"], now["mode"]} <= MODES.keys():
        names |= _flags_of(before["mode"]) - _flags_of(now["mode"])
    return [
        each
        for each in settings
        if (flag := each.partition("=")[0].replace("-", "_").replace("__", "--", 1)) not in names
        and not flag.startswith(begins)
    ]


def _flags_of(mode: str) -> set[str]:
    return {f"--{field.name}" for field in dataclasses.fields(MODES[mode])}
