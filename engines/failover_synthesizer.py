"""Several synthesizers that act as one: `--tts kokoro,espeak`."""

import functools
from collections.abc import Iterator
from dataclasses import replace

from engines.failover import LanguageFailover
from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import EngineError
from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken
from TTS.base import Synthesizer


class FailoverSynthesizer(LanguageFailover[Synthesizer]):
    """If a sentence has no audio within `first_output_s`, or fails, the next engine speaks it.

    The voices are those of the first; another that does not know one speaks with its own.
    """

    verb = "speaks"

    @functools.cached_property
    def info(self) -> SynthesizerInfo:
        """Info of the first engine, with the languages of all."""
        return replace(self.first.info, name=self._names(), languages=self._all_languages())

    def expect_voice(self, voice: str) -> None:
        """Accept the voices of the first engine."""
        self.first.expect_voice(voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence, from its beginning to its end with one voice; at that engine's rate."""

        def speak(
            engine: Synthesizer, language: str | None, cancel: CancelToken
        ) -> Iterator[AudioChunk | Notice]:
            own = voice
            if voice is not None and engine is not self.first and not _has_voice(engine, voice):
                own = None
                told = f"{engine.info.name} has no voice {voice!r:.100}; it speaks with its own"
                yield Notice("voice_fallback", told)
            yield from engine.synthesize(text, own, language, cancel)

        return self.stream_in(language, speak, cancel)


def _has_voice(engine: Synthesizer, voice: str) -> bool:
    try:
        engine.expect_voice(voice)
    except EngineError:
        return False
    return True
