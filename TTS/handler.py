"""TTSHandler: from sentences to speech."""

from collections.abc import Generator, Iterator
from typing import ClassVar

import numpy as np

from pipeline.errors import EngineError
from pipeline.handler import BaseHandler
from pipeline.language import plain, speaks
from pipeline.language_fallback import language_fallback
from pipeline.loudness import speech_bounds
from pipeline.messages import AudioChunk, Notice, Sentence, Speech
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken, Turn
from pipeline.words import has_words
from TTS.base import Synthesizer
from utils.voices import own_voice

LEAD_MS = 30
"""Silence kept before the first sound of an answer, since it may contain a soft consonant."""


class TTSHandler(BaseHandler[Sentence]):
    """Serves every synthesizer."""

    name: ClassVar[str] = "tts"
    takes = Sentence

    def setup(self, synthesizer: SharedEngine[Synthesizer], session: Session) -> None:
        self._synthesizer = synthesizer
        self._notices = session.notices
        self._speaking: Turn | None = None

    def process(self, sentence: Sentence) -> Generator[Speech, None, None]:
        """Speak one sentence; the first piece of audio carries its text, an empty last one ends it."""
        turn = sentence.turn
        results = self._synthesizer.stream(
            lambda engine, cancel: _speak(engine, sentence, cancel), turn.cancel
        )
        info = self._synthesizer.engine.info
        text: str | None = sentence.text
        silent = True
        for chunk in results:
            if isinstance(chunk, Notice):
                self._notices.give(self.name, turn, chunk)
                continue
            silent = silent and not len(chunk.samples)
            if self._speaking is not turn:
                self._speaking = turn
                chunk = _from_first_sound(chunk)
            spoken_chars = len(sentence.spoken)
            yield Speech(
                turn,
                chunk.samples,
                chunk.sample_rate_hz,
                text,
                words=chunk.words,
                spoken_chars=spoken_chars,
            )
            text = None
        if silent and turn.alive and has_words(sentence.spoken):
            left_out = (
                f"expected audio of a sentence, got none from {info.name}; the sentence is left out"
            )
            self._notices.give(self.name, turn, Notice("sentence_unheard", left_out))
        yield Speech(turn, np.empty(0, np.float32), info.sample_rate_hz, text, ends_text=True)


def _speak(
    synthesizer: Synthesizer, sentence: Sentence, cancel: CancelToken
) -> Iterator[AudioChunk | Notice]:
    """Speak in the language that the session sets, else in the user's own, and with the voice of the
    session: it may be that of another synthesizer, which this one has replaced."""
    turn, info = sentence.turn, synthesizer.info
    voice, code = turn.settings.voice, turn.settings.language or turn.language
    if code is not None and not speaks(info.languages, code):
        yield language_fallback(info.name, "speak", code, "it speaks as usual")
        code = None
    if voice is not None and voice not in info.voices:
        try:
            synthesizer.expect_voice(voice)
        except EngineError:
            yield own_voice(info.name, voice)
            voice = None
    yield from synthesizer.synthesize(sentence.spoken, voice, code and plain(code), cancel)


def _from_first_sound(chunk: AudioChunk) -> AudioChunk:
    """The first audio of an answer with less silence before it. This saves 20 ms with Piper (median), up
    to 0.4 s where it takes a breath."""
    begin, _ = speech_bounds(chunk.samples, chunk.sample_rate_hz)
    kept = chunk.sample_rate_hz * LEAD_MS // 1000
    return chunk.cut(max(begin - kept, 0), len(chunk.samples))
