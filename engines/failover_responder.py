"""Several end-to-end engines that act as one: `--s2s openai-audio,seamless`."""

import functools
from collections.abc import Iterator
from dataclasses import replace

from engines.failover_voices import VoiceFailover
from LLM.conversation import only_words
from pipeline.audio import resample
from pipeline.engine_info import ResponderInfo
from pipeline.messages import AudioChunk, Notice
from pipeline.sound_check import SoundCheck, checked
from pipeline.turn import CancelToken
from S2S.base import Answer, Question, SpeechResponder, SpokenPiece, UserWords
from utils.voices import own_voice


class FailoverResponder(VoiceFailover[SpeechResponder]):
    """If an engine fails, or has no audio within `first_output_s`, the next one answers.

    Typed text is accepted only if every engine answers it, tools if the first engine has them; a later
    engine without tools gets the question without them. A voice goes to the first engine that has it. No
    engine answers frame by frame, since none could take over in the middle of an utterance.
    """

    verb = "answers"
    can = "answer in"

    @functools.cached_property
    def info(self) -> ResponderInfo:
        """Info of the first engine, with the languages and voices of all."""
        return replace(
            self.first.info,
            name=self._names(),
            languages=self._all_languages(),
            voices=self._all_voices(),
            takes_text=all(engine.info.takes_text for engine in self.engines),
            frame_samples=0,
            overlap_samples=0,
        )

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[Answer]:
        """Answer the question; all of an answer comes from one engine."""
        voice = question.settings.voice
        if voice is not None:
            self.expect_voice(voice)

        def has_it(engine: SpeechResponder) -> bool:
            return self._has_voice(engine, voice)

        def answer(
            engine: SpeechResponder, language: str | None, cancel: CancelToken
        ) -> Iterator[Answer]:
            asked = replace(
                question,
                samples=resample(question.samples, self.info.sample_rate_hz, engine.info.sample_rate_hz),
                settings=replace(question.settings, language=language),
            )
            if voice is not None and not has_it(engine):
                yield own_voice(engine.info.name, voice)
                asked = replace(asked, settings=replace(asked.settings, voice=None))
            if not engine.info.takes_tools:
                if asked.settings.tools:
                    told = f"{engine.info.name} cannot call functions; it answers without them"
                    yield Notice("tools_fallback", told)
                plain = replace(asked.settings, tools=())
                asked = replace(asked, settings=plain, messages=only_words(asked.messages))
            outputs = engine.respond(asked, cancel)
            if self.check_sound and asked.settings.spoken:
                outputs = _checked(outputs, engine.info.name, cancel)
            yield from _words_with_output(outputs)

        return self.stream_in(question.settings.language, answer, cancel, has_it)


def _checked(outputs: Iterator[Answer], engine: str, cancel: CancelToken) -> Iterator[Answer]:
    """Pass on the answer. Silence or clipped noise in its place is an error of the engine."""
    check = SoundCheck(engine)

    def audio_of(output: Answer) -> AudioChunk | None:
        if not isinstance(output, SpokenPiece):
            return None
        if output.text is not None:
            check.text_begins(output.text)
        return output.audio

    return checked(outputs, check, audio_of, cancel)


def _words_with_output(answer: Iterator[Answer]) -> Iterator[Answer]:
    """Hold the user's words back until there is an answer: an engine that understood the question may
    still fail to answer it."""
    understood: list[Answer] = []
    for output in answer:
        if isinstance(output, UserWords):
            understood.append(output)
            continue
        if not isinstance(output, Notice):
            yield from understood
            understood.clear()
        yield output
    yield from understood
