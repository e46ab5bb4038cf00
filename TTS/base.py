"""Synthesizer: what a speech synthesizer looks like to the TTS stage."""

from collections.abc import Iterator
from typing import Protocol

from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken


class Synthesizer(Protocol):
    """The shared weights."""

    name: str
    slots: int
    """How many calls may run at once."""
    sample_rate_hz: int
    """The rate of what it makes."""
    languages: tuple[str, ...]
    """ISO 639-1 codes, or 639-3 where there is none; ("any",): it does not mind."""
    voices: tuple[str, ...]
    """What a person is offered, by name; empty where there is but one voice. An engine that knows what
    each of them speaks may state `voice_languages`, from the name to a code, for --list_voices."""

    def expect_voice(self, voice: str) -> None:
        """Raise `EngineError`, see `utils.voices`, unless it can speak with this voice, which may be
        one that is not offered."""
        ...

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence. None for `voice` and `language`: as configured. Raises `EngineError`.

        When `cancel` is raised it should end soon; what it yields then is thrown away.
        """
        ...

    def close(self) -> None: ...
