"""People: named voices, in catalog/people.toml, that several synthesizers can speak with."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Person:
    """A person, and the voice that one synthesizer uses for them."""

    about: str
    language: str
    voice: str | None
    """None: the synthesizer's usual voice for the language."""


@functools.cache
def people_of(engine: str) -> dict[str, Person]:
    """The people that an engine has a voice for, by name."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return {
        name: Person(row["about"], row["language"], row[engine] or None)
        for name, row in table.items()
        if engine in row
    }


def as_configured(settings: Mapping[str, Any], people: Mapping[str, Person]) -> dict[str, Any]:
    """Replace the name of a person in the settings of an engine by the voice and the language."""
    person = people.get(settings.get("voice") or "")
    if person is None:
        return dict(settings)
    spoken = {"voice": person.voice, "language": person.language}
    return {name: spoken.get(name, value) for name, value in settings.items()}
