"""Names of flags, with their dashes: those that were typed, and those of a dataclass."""

import dataclasses
from collections.abc import Sequence


def flag_names(arguments: Sequence[str]) -> list[str]:
    """The flags among arguments without their values, in the spelling with underscores; other arguments
    as they are."""
    return [
        flag.partition("=")[0].replace("-", "_").replace("__", "--", 1)
        if flag.startswith("--")
        else flag
        for flag in arguments
    ]


def flags_of(group: type | None) -> list[str]:
    """The flags of a dataclass, in order; of None, none."""
    return [] if group is None else [f"--{field.name}" for field in dataclasses.fields(group)]
