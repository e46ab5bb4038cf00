"""Synthesizer: the interface of a speech synthesizer to the TTS stage."""

from collections.abc import Iterator
from typing import Protocol

from pipeline.engine_info import SynthesizerInfo
from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken


class Synthesizer(Protocol):
    """The shared weights."""

    @property
    def info(self) -> SynthesizerInfo: ...

    def expect_voice(self, voice: str) -> None:
        """Raise `EngineError`, see `utils.voices`, for a voice that it does not have. It may have voices
        that it does not list."""
        ...

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence. None for `voice` and `language`: as configured. Raises `EngineError`.

        When `cancel` is raised it should end soon; its further output is discarded.
        """
        ...

    def close(self) -> None: ...
