"""NamedVoices: a synthesizer that answers to the names of people."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from catalog.people import Person
from pipeline.language import speaks
from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken
from TTS.base import Synthesizer


class NamedVoices:
    """A synthesizer that also answers to the names of these people, if it speaks their language."""

    def __init__(self, synthesizer: Synthesizer, people: Mapping[str, Person]) -> None:
        self._synthesizer = synthesizer
        info = synthesizer.info
        self._people = {
            name: person for name, person in people.items() if speaks(info.languages, person.language)
        }
        spoken = {name: person.language for name, person in self._people.items()}
        self.info = replace(
            info,
            voices=(*self._people, *info.voices),
            voice_languages={**info.voice_languages, **spoken},
        )

    def expect_voice(self, voice: str) -> None:
        """Accept a person, or a voice of the synthesizer."""
        if voice not in self._people:
            self._synthesizer.expect_voice(voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence; a person speaks their own language."""
        if person := self._people.get(voice or ""):
            voice, language = person.voice, person.language
        return self._synthesizer.synthesize(text, voice, language, cancel)

    def close(self) -> None:
        """Free the synthesizer."""
        self._synthesizer.close()
