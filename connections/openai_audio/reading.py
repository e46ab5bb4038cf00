"""Reading: a text, read aloud sentence by sentence."""

from collections.abc import Iterator
from dataclasses import dataclass

from LLM.brief import sentences_of
from LLM.sentences import MAX_CHARS
from LLM.spoken_answer import SpokenAnswer
from pipeline.errors import EngineError
from pipeline.messages import AudioChunk, Notice
from pipeline.settings import SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sound_check import SoundCheck, SoundSource, checked
from pipeline.turn import CancelToken
from TTS.base import Synthesizer


@dataclass(frozen=True, slots=True)
class Reading:
    """A text and the way to read it. It is prepared as an answer of a language model is: no markup, no
    code, no emoji; and each sentence is a call of the engine, which gives way to conversations."""

    text: str
    voice: str | None
    language: str | None
    synthesizer: SharedEngine[Synthesizer]
    source: SoundSource | None
    """The way to check the audio; None: unchecked."""

    def audio(self, cancel: CancelToken) -> Iterator[AudioChunk]:
        """The audio as it is made. Raises `EngineError`, also if there is nothing to hear."""
        aloud = SpokenAnswer()
        begins = range(0, len(self.text), MAX_CHARS)  # in one piece it could be one endless sentence
        pieces = aloud.prose(self.text[begin : begin + MAX_CHARS] for begin in begins)
        has_sound = False
        for _, sentence in aloud.sentences(sentences_of(pieces, self.language, None)):
            for chunk in self._spoken(sentence, cancel):
                has_sound = has_sound or len(chunk.samples) > 0
                yield chunk
            if cancel.cancelled:
                return
        if not has_sound:
            name = self.synthesizer.engine.info.name
            raise EngineError(f"expected words that {name} can read aloud, got none", "nothing_to_say")

    def _spoken(self, sentence: str, cancel: CancelToken) -> Iterator[AudioChunk]:
        outputs = self.synthesizer.stream(
            lambda engine, cancel: engine.synthesize(sentence, self.voice, self.language, cancel),
            cancel,
            gives_way=True,
        )
        audio = (output for output in outputs if not isinstance(output, Notice))
        check = None if self.source is None else self.source.new_check(SessionSettings())
        yield from audio if check is None else _checked(audio, sentence, check, cancel)


def _checked(
    audio: Iterator[AudioChunk], sentence: str, check: SoundCheck, cancel: CancelToken
) -> Iterator[AudioChunk]:
    check.text_begins(sentence)
    return checked(audio, check, lambda chunk: chunk, cancel)
