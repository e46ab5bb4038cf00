"""People: voices with a name, in catalogue/people.toml, for several synthesizers."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Person:
    """A person, as one synthesizer speaks for them."""

    about: str
    language: str
    voice: str | None
    """None: the usual one of the language."""


@functools.cache
def people_of(engine: str) -> dict[str, Person]:
    """The people for whom an engine can speak, by name."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return {
        name: Person(row["about"], row["language"], row[engine] or None)
        for name, row in table.items()
        if engine in row
    }


def as_configured(settings: Mapping[str, Any], people: Mapping[str, Person]) -> dict[str, Any]:
    """The settings of an engine, with the name of a person replaced by their voice and language."""
    person = people.get(settings.get("voice") or "")
    if person is None:
        return dict(settings)
    spoken = {"voice": person.voice, "language": person.language}
    return {name: spoken.get(name, value) for name, value in settings.items()}
