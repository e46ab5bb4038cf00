"""Flags of an engine that comes after another one: --tts kokoro,espeak --tts_espeak_voice en-gb."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from catalog.registry import EngineSpec
from pipeline.errors import UserError


def prefix_of(spec: EngineSpec, *, later: bool) -> str:
    """The prefix of an engine's flags: "tts_", or "tts_espeak_" if it comes after another engine."""
    return f"{spec.stage}_" + (f"{spec.name.replace('-', '_')}_" if later else "")


def later_flags(spec: EngineSpec, flags: type) -> type:
    """A dataclass with the fields of `flags`, under the longer prefix."""
    fields: list[Any] = [
        (
            field.name.replace(f"{spec.stage}_", prefix_of(spec, later=True), 1),
            field.type,
            dataclasses.field(
                default=field.default, default_factory=field.default_factory, metadata=field.metadata
            ),
        )
        for field in dataclasses.fields(flags)
    ]
    group = f"--{spec.stage} {spec.name}, after another engine"
    return dataclasses.make_dataclass(flags.__name__, fields, namespace={"_argument_group_name": group})


def as_first(spec: EngineSpec, flags: type, parsed: Any) -> Any:
    """Turn an instance of `later_flags` into one of `flags`, which checks it. Raises `UserError`."""
    longer, values = prefix_of(spec, later=True), dataclasses.asdict(parsed)
    with own_flags(longer, spec):
        return flags(**{name.replace(longer, f"{spec.stage}_", 1): v for name, v in values.items()})


@contextlib.contextmanager
def own_flags(prefix: str, spec: EngineSpec) -> Iterator[None]:
    """Rewrite the flags named in a `UserError`, so that it names those that the user typed."""
    try:
        yield
    except UserError as error:
        text = str(error).replace(f"--{spec.stage}_", f"--{prefix}")
        raise type(error)(text) from error.__cause__
