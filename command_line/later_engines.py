"""The flags of an engine that stands behind another: --tts kokoro,espeak --tts_espeak_voice en-gb."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from catalogue.registry import EngineRow
from pipeline.errors import UserError


def prefix_of(row: EngineRow, *, later: bool) -> str:
    """With what its flags begin: "tts_", or "tts_espeak_" behind another."""
    return f"{row.stage}_" + (f"{row.name.replace('-', '_')}_" if later else "")


def later_flags(row: EngineRow, flags: type) -> type:
    """The same flags with the longer prefix."""
    fields: list[Any] = [
        (
            field.name.replace(f"{row.stage}_", prefix_of(row, later=True), 1),
            field.type,
            dataclasses.field(
                default=field.default, default_factory=field.default_factory, metadata=field.metadata
            ),
        )
        for field in dataclasses.fields(flags)
    ]
    group = f"--{row.stage} {row.name}, behind another"
    return dataclasses.make_dataclass(flags.__name__, fields, namespace={"_argument_group_name": group})


def as_first(row: EngineRow, flags: type, parsed: Any) -> Any:
    """What was parsed, as the flags it would be if the engine stood first. Raises `UserError`."""
    longer, values = prefix_of(row, later=True), dataclasses.asdict(parsed)
    with own_flags(longer, row):
        return flags(**{name.replace(longer, f"{row.stage}_", 1): v for name, v in values.items()})


@contextlib.contextmanager
def own_flags(prefix: str, row: EngineRow) -> Iterator[None]:
    """What a `UserError` says of the flags of the engine, with its prefix."""
    try:
        yield
    except UserError as error:
        text = str(error).replace(f"--{row.stage}_", f"--{prefix}")
        raise type(error)(text) from error.__cause__
