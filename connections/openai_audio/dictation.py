"""Dictation: the words of a recording, utterance by utterance."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.audio import Framer, resample, split_at_quiet
from pipeline.language import is_detected
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.base import Recognizer
from VAD.base import VoiceDetector
from VAD.endpointer import Endpointer, Voice
from VAD.modes import MAX_UTTERANCE_S
from VAD.utterance_buffer import UtteranceBuffer

MAX_PIECE_S = 20.0
"""Speech without a pause is recognized in pieces of this length, cut where it is quiet: a conversation
waits for one such call at most."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The words between two pauses."""

    start_s: float
    end_s: float
    text: str
    language: str | None
    """The code, written as in `Transcription`."""


class Dictation:
    """Cuts a recording at its pauses, as a conversation is cut, and recognizes what is between them. The
    calls give way to conversations."""

    def __init__(
        self,
        recognizer: SharedEngine[Recognizer],
        detector: VoiceDetector,
        settings: EndpointerSettings,
        language: str | None,
    ) -> None:
        self._recognizer = recognizer
        self._detector = detector
        self._settings = settings
        self._language = language
        self.rate_hz = detector.sample_rate_hz
        self.duration_s = 0.0
        """Length of the recording so far."""

    def segments(self, blocks: Iterable[Samples], cancel: CancelToken) -> Iterator[Segment]:
        """The segments as they are recognized; `blocks` are at `rate_hz`. Raises `EngineError`."""
        wanted = itertools.takewhile(lambda _: not cancel.cancelled, blocks)  # also during silence
        for start, utterance in self._utterances(wanted):
            for piece in split_at_quiet(utterance, self.rate_hz, MAX_PIECE_S):
                if cancel.cancelled:
                    return
                segment = self._recognized(piece, start, cancel)
                start += len(piece)
                if segment is not None:
                    yield segment

    def _recognized(self, said: Samples, start: int, cancel: CancelToken) -> Segment | None:
        samples = resample(said, self.rate_hz, self._recognizer.engine.info.sample_rate_hz)
        language = self._language
        heard = self._recognizer.call(
            lambda engine, cancel: engine.transcribe(samples, language, cancel), cancel, gives_way=True
        )
        if heard is None or not heard.text.strip():
            return None
        if heard.language is not None and is_detected(heard.language):
            self._language = heard.language
        begin_s, end_s = start / self.rate_hz, (start + len(said)) / self.rate_hz
        return Segment(begin_s, end_s, heard.text.strip(), heard.language)

    def _utterances(self, blocks: Iterable[Samples]) -> Iterator[tuple[int, Samples]]:
        """The first sample and the samples of each utterance."""
        size = self._detector.window_samples
        pad = math.ceil(self._settings.speech_pad_ms * self.rate_hz / (1000 * size))
        stream, framer = self._detector.open(), Framer(size)
        endpointer = Endpointer(self._settings, 1000 * size / self.rate_hz)
        buffer = UtteranceBuffer(self.rate_hz, pad)

        def ended() -> tuple[int, Samples]:
            trailing = endpointer.windows - endpointer.end
            samples = buffer.samples(trailing)
            buffer.end(trailing)
            buffer.forget_before()
            endpointer.in_speech = False
            return max(0, endpointer.start - pad) * size, samples

        longest = int(MAX_UTTERANCE_S * self.rate_hz)
        for block in blocks:
            self.duration_s += len(block) / self.rate_hz
            for window in framer.feed(block):
                voice = endpointer.step(stream.probability(window))
                if voice is Voice.ONSET:
                    buffer.begin(window)
                elif endpointer.in_speech or voice is Voice.ENDED:
                    buffer.grow(window)
                else:
                    buffer.keep(window)
                if voice is Voice.ENDED:
                    yield ended()
                elif endpointer.confirmed and buffer.length >= longest:
                    yield ended()
                    buffer.forget()  # else what follows at once would repeat its end
        if endpointer.confirmed:
            yield ended()
