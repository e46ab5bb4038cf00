"""TTSHandler: from sentences to speech."""

from collections.abc import Generator
from typing import ClassVar

import numpy as np

from pipeline.handler import BaseHandler
from pipeline.messages import Sentence, Speech
from pipeline.shared_engine import SharedEngine
from TTS.base import Synthesizer


class TTSHandler(BaseHandler[Sentence]):
    """Serves every synthesizer."""

    name: ClassVar[str] = "tts"
    takes = Sentence

    def setup(self, synthesizer: SharedEngine[Synthesizer]) -> None:
        self._synthesizer = synthesizer

    def process(self, sentence: Sentence) -> Generator[Speech, None, None]:
        """Speak one sentence; the first piece of audio carries its text, an empty last one ends it."""
        turn = sentence.turn
        voice, language = turn.settings.voice, turn.settings.language or turn.language
        chunks = self._synthesizer.stream(
            lambda engine, cancel: engine.synthesize(sentence.spoken, voice, language, cancel),
            turn.cancel,
        )
        text: str | None = sentence.text
        for chunk in chunks:
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
        rate_hz = self._synthesizer.engine.sample_rate_hz
        yield Speech(turn, np.empty(0, np.float32), rate_hz, text, ends_text=True)
