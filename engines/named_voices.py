"""NamedVoices: a synthesizer that answers to the names of people."""

from collections.abc import Iterator, Mapping

from catalogue.people import Person
from pipeline.language import speaks
from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken
from TTS.base import Synthesizer


class NamedVoices:
    """A synthesizer that answers to the names of these people, too, where it speaks their language."""

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
        spoken = {name: person.language for name, person in self._people.items()}
        self.voice_languages = {**getattr(synthesizer, "voice_languages", {}), **spoken}
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
