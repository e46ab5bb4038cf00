"""Several synthesizers that act as one: `--tts kokoro,espeak`."""

import functools
from collections.abc import Iterator
from dataclasses import replace

from engines.failover import LanguageFailover
from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import EngineError
from pipeline.messages import AudioChunk, Notice
from pipeline.sound_check import SoundCheck, checked
from pipeline.turn import CancelToken
from TTS.base import Synthesizer
from utils.voices import unknown_voice


class FailoverSynthesizer(LanguageFailover[Synthesizer]):
    """If a sentence has no sound within `first_output_s`, or fails, the next engine speaks it.

    A voice goes to the first engine that has it; an engine without it speaks with its own.
    """

    verb = "speaks"

    @functools.cached_property
    def info(self) -> SynthesizerInfo:
        """Info of the first engine, with the languages and the voices of all."""
        spoken: dict[str, str] = {}
        for engine in self.engines:
            spoken = {**engine.info.voice_languages, **spoken}
        voices = dict.fromkeys(voice for engine in self.engines for voice in engine.info.voices)
        return replace(
            self.first.info,
            name=self._names(),
            languages=self._all_languages(),
            voices=tuple(voices),
            voice_languages=spoken,
        )

    def expect_voice(self, voice: str) -> None:
        """Accept the voices of all engines."""
        if not any(_has_voice(engine, voice) for engine in self.engines):
            raise unknown_voice(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence, from its beginning to its end with one voice; at that engine's rate."""
        if voice is not None:
            self.expect_voice(voice)

        def has_it(engine: Synthesizer) -> bool:
            return voice is None or _has_voice(engine, voice)

        def speak(
            engine: Synthesizer, language: str | None, cancel: CancelToken
        ) -> Iterator[AudioChunk | Notice]:
            has_voice = has_it(engine)
            if not has_voice:
                told = f"{engine.info.name} has no voice {voice!r:.100}; it speaks with its own"
                yield Notice("voice_fallback", told)
            speech = engine.synthesize(text, voice if has_voice else None, language, cancel)
            if not self.check_sound:
                yield from speech
                return
            check = SoundCheck(engine.info.name)
            check.text_begins(text)
            yield from checked(speech, check, _audio_of, cancel)

        return self.stream_in(language, speak, cancel, has_it)


def _audio_of(output: AudioChunk | Notice) -> AudioChunk | None:
    return output if isinstance(output, AudioChunk) else None


def _has_voice(engine: Synthesizer, voice: str) -> bool:
    try:
        engine.expect_voice(voice)
    except EngineError:
        return False
    return True
