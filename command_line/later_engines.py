"""The flags of an engine that stands behind another: --tts kokoro,espeak --tts_espeak_voice en-gb."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from catalogue.registry import EngineSpec
from pipeline.errors import UserError


def prefix_of(spec: EngineSpec, *, later: bool) -> str:
    """With what its flags begin: "tts_", or "tts_espeak_" behind another."""
    return f"{spec.stage}_" + (f"{spec.name.replace('-', '_')}_" if later else "")


def later_flags(spec: EngineSpec, flags: type) -> type:
    """The same flags with the longer prefix."""
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
    group = f"--{spec.stage} {spec.name}, behind another"
    return dataclasses.make_dataclass(flags.__name__, fields, namespace={"_argument_group_name": group})


def as_first(spec: EngineSpec, flags: type, parsed: Any) -> Any:
    """What was parsed, as the flags it would be if the engine stood first. Raises `UserError`."""
    longer, values = prefix_of(spec, later=True), dataclasses.asdict(parsed)
    with own_flags(longer, spec):
        return flags(**{name.replace(longer, f"{spec.stage}_", 1): v for name, v in values.items()})


@contextlib.contextmanager
def own_flags(prefix: str, spec: EngineSpec) -> Iterator[None]:
    """What a `UserError` says of the flags of the engine, with its prefix."""
    try:
        yield
    except UserError as error:
        text = str(error).replace(f"--{spec.stage}_", f"--{prefix}")
        raise type(error)(text) from error.__cause__
