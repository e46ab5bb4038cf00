"""Several synthesizers that act as one: `--tts kokoro,espeak`."""

import functools
from collections.abc import Iterator
from dataclasses import replace

from engines.failover_voices import VoiceFailover
from pipeline.engine_info import SynthesizerInfo
from pipeline.messages import AudioChunk, Notice
from pipeline.sound_check import SoundCheck, checked
from pipeline.turn import CancelToken
from TTS.base import Synthesizer
from utils.voices import own_voice


class FailoverSynthesizer(VoiceFailover[Synthesizer]):
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
        return replace(
            self.first.info,
            name=self._names(),
            languages=self._all_languages(),
            voices=self._all_voices(),
            voice_languages=spoken,
        )

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence, from its beginning to its end with one voice; at that engine's rate."""
        if voice is not None:
            self.expect_voice(voice)

        def has_it(engine: Synthesizer) -> bool:
            return self._has_voice(engine, voice)

        def speak(
            engine: Synthesizer, language: str | None, cancel: CancelToken
        ) -> Iterator[AudioChunk | Notice]:
            has_voice = has_it(engine)
            if voice is not None and not has_voice:
                yield own_voice(engine.info.name, voice)
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
