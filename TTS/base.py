"""Synthesizer: what a speech synthesizer looks like to the TTS stage."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.errors import EngineError
from pipeline.messages import Samples, WordTime
from pipeline.turn import CancelToken

NAMED = 8
"""Voices that an error names; of more the ones that look like what was asked for."""

LONGEST_NAME = 100
"""Characters that are compared with the names there are; more would only take time."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Mono float32 in [-1, 1] with its rate."""

    samples: Samples
    sample_rate_hz: int
    words: tuple[WordTime, ...] = ()
    """When each word begins in it, where the synthesizer tells; else what was heard is estimated."""


class Synthesizer(Protocol):
    """The shared weights."""

    name: str
    slots: int
    """How many calls may run at once."""
    sample_rate_hz: int
    """The rate of what it makes."""
    languages: tuple[str, ...]
    voices: tuple[str, ...]
    """What a person is offered, by name; empty where there is but one voice."""

    def expect_voice(self, voice: str) -> None:
        """Raise `EngineError`, see `unknown_voice`, unless it can speak with this voice, which may be
        one that is not offered."""
        ...

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Speak one sentence. None for `voice` and `language`: as configured. Raises `EngineError`.

        When `cancel` is raised it should end soon; what it yields then is thrown away.
        """
        ...

    def close(self) -> None: ...


def unknown_voice(voices: Sequence[str], voice: str) -> EngineError:
    """What a synthesizer says that has these voices, and is asked for another."""
    named = list(voices)
    if len(named) > NAMED:
        named = difflib.get_close_matches(voice[:LONGEST_NAME], voices, NAMED, cutoff=0)
    others = len(voices) - len(named)
    listed = ", ".join(named) + (f" and {others} others" if others else "")
    expected = f"one of the voices {listed}" if named else "no voice to be chosen, there is but one"
    return EngineError(f"expected {expected}, got {voice!r:.100}", code="unknown_voice")
