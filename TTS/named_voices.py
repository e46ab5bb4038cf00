"""Named voices: people of TTS/named_voices.toml, whichever synthesizer speaks for them."""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.language import speaks
from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken
from TTS.base import Synthesizer

_TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as one synthesizer speaks for them."""

    about: str
    language: str
    voice: str | None
    """None: the usual one of the language."""


@functools.cache
def people_of(engine: str) -> dict[str, Person]:
    """Those for whom an engine can speak, by name."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return {
        name: Person(row["about"], row["language"], row[engine] or None)
        for name, row in table.items()
        if engine in row
    }


def as_configured(settings: Mapping[str, Any], people: Mapping[str, Person]) -> dict[str, Any]:
    """What an engine is to be called with, where its voice may be the name of a person."""
    person = people.get(settings.get("voice") or "")
    if person is None:
        return dict(settings)
    spoken = {"voice": person.voice, "language": person.language}
    return {name: spoken.get(name, value) for name, value in settings.items()}


class NamedVoices:
    """A synthesizer that answers to the names of these people too, where it speaks their language."""

    def __init__(self, synthesizer: Synthesizer, people: Mapping[str, Person]) -> None:
        self._synthesizer = synthesizer
        self._people = {
            name: person
            for name, person in people.items()
            if speaks(synthesizer.languages, person.language)
        }
        self.name = synthesizer.name
        self.slots = synthesizer.slots
        self.sample_rate_hz = synthesizer.sample_rate_hz
        self.languages = synthesizer.languages
        self.voices = (*self._people, *synthesizer.voices)
        self.voice_languages = getattr(synthesizer, "voice_languages", {}) | {
            name: person.language for name, person in self._people.items()
        }
        self.about: str | None = getattr(synthesizer, "about", None)

    def expect_voice(self, voice: str) -> None:
        """A person, or whom the synthesizer has."""
        if voice not in self._people:
            self._synthesizer.expect_voice(voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """A person speaks their own language."""
        if person := self._people.get(voice or ""):
            voice, language = person.voice, person.language
        return self._synthesizer.synthesize(text, voice, language, cancel)

    def close(self) -> None:
        """Free the synthesizer."""
        self._synthesizer.close()
