"""Synthesizer: what a speech synthesizer looks like to the TTS stage."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.messages import Samples, WordTime
from pipeline.turn import CancelToken


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

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Speak one sentence. None for `voice` and `language`: as configured. Raises `EngineError`.

        When `cancel` is raised it should end soon; what it yields then is thrown away.
        """
        ...

    def close(self) -> None: ...
