"""Listening: recognizes an utterance while the user speaks, so that little is left at the end."""

import copy
import math
import threading
from collections.abc import Callable
from typing import TypeGuard

import numpy as np

from pipeline.audio import resample
from pipeline.events import PartialTranscript
from pipeline.language import if_spoken
from pipeline.messages import Samples
from pipeline.resampler import Resampler
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.base import Recognizer, RecognizerStream, StreamingRecognizer, Transcription


def listens(recognizer: SharedEngine[Recognizer]) -> TypeGuard[SharedEngine[StreamingRecognizer]]:
    """True if it recognizes while the user speaks."""
    return isinstance(recognizer.engine, StreamingRecognizer)


class _Ear:
    """A stream of the recognizer and the audio that it has heard, at the rate of the capture."""

    def __init__(
        self, stream: RecognizerStream, language: str | None, rates_hz: tuple[int, int]
    ) -> None:
        self._stream = stream
        self._language = language
        self._rates_hz = rates_hz
        self._resampler = Resampler(*rates_hz)
        self.heard: Samples = np.empty(0, np.float32)

    def fits(self, said: Samples, language: str | None) -> bool:
        """True if the utterance begins with all that this stream has heard."""
        length = len(self.heard)
        return language == self._language and np.array_equal(self.heard, said[:length])

    def go_on(self, said: Samples, cancel: CancelToken) -> str:
        """Hear the rest of the utterance; all words so far."""
        rest = said[len(self.heard) :]
        self.heard = said
        return self._stream.feed(self._resampler.feed(rest), cancel)

    def finish(self, cancel: CancelToken) -> Transcription:
        """End the utterance."""
        return self._stream.finish(cancel)

    def fork(self) -> "_Ear | None":
        """A copy that has heard the same, where that is possible."""
        stream = self._stream.fork()
        if stream is None:
            return None
        other = copy.copy(self)
        other._stream = stream
        other._resampler = copy.copy(self._resampler)
        return other


class Listening:
    """The access of one session to a streaming recognizer. The VAD thread reports how the utterance
    grows, the STT stage asks for its words when it (perhaps) ends; both wait in the recognizer's queue,
    and a slot is taken only to compute.

    A stream can be used as long as the audio that it was fed is the beginning of the utterance. So an
    utterance that seemed over and goes on, or is joined with the next one, continues in the stream. For
    a guess, a copy of the stream is finished; if it cannot be copied, the stream itself is, and later
    speech is heard from the start again. If no stream fits, the whole utterance is recognized at once.
    The last stream is kept until the next utterance.
    """

    def __init__(
        self,
        recognizer: SharedEngine[StreamingRecognizer],
        session: Session,
        read_ahead: Callable[[str], object] = lambda words: None,
    ) -> None:
        """`read_ahead` is called when the user begins to speak, and with words that will not change."""
        self._recognizer = recognizer
        self._session = session
        self._read_ahead = read_ahead
        self._ear: _Ear | None = None
        self._ear_lock = threading.Lock()
        """Held while the stream computes; slots of one recognizer may run side by side."""
        self._utterance = object()
        self._due = 0.0
        self._busy = False

    def begin(self) -> None:
        """A new utterance begins, or the last one goes on."""
        self._utterance = object()
        self._due = 0.0

    def grow(self, length: int, said: Callable[[], Samples], rate_hz: int) -> None:
        """The utterance has grown to `length` samples, which `said` returns. Does not wait."""
        if self._due == 0.0:
            self._read_ahead("")
        if self._busy or length < self._due:
            return
        info = self._recognizer.engine.info
        chunk = info.chunk_samples * rate_hz / info.sample_rate_hz
        self._due = (length // chunk + 1) * chunk
        samples, utterance = said(), self._utterance
        self._busy = True
        self._session.activity.woke()

        def listen(recognizer: StreamingRecognizer) -> None:
            try:
                text = self._listen(recognizer, samples, rate_hz)
                if text and utterance is self._utterance:
                    self._session.events.emit(PartialTranscript(text, len(text)))
                    self._read_ahead(text)
            except Exception:
                if utterance is self._utterance:
                    self._due = math.inf  # it is recognized once, when it is over
                raise
            finally:
                self._busy = False
                self._session.activity.sleeps()

        self._recognizer.later(listen)

    def pause(self) -> None:
        """Do nothing: audio that is processed now need not be processed again."""

    def words(
        self, said: Samples, rate_hz: int, language: str | None, cancel: CancelToken
    ) -> Transcription | None:
        """The words of the utterance, which may still go on; None when `cancel` was raised first."""

        def finish(recognizer: StreamingRecognizer, cancel: CancelToken) -> Transcription:
            ear = self._take(said, language)
            if ear is None:
                samples = resample(said, rate_hz, recognizer.info.sample_rate_hz)
                return recognizer.transcribe(samples, language, cancel)
            ear.go_on(said, cancel)
            return ear.finish(cancel)

        return self._recognizer.call(finish, cancel)

    def _listen(self, recognizer: StreamingRecognizer, said: Samples, rate_hz: int) -> str:
        info = recognizer.info
        language = if_spoken(info.languages, self._session.settings.language)
        with self._ear_lock:
            ear, self._ear = self._ear, None  # lost if it fails
            if ear is None or not ear.fits(said, language):
                ear = _Ear(recognizer.open(language), language, (rate_hz, info.sample_rate_hz))
            text = ear.go_on(said, CancelToken())
            self._ear = ear
        return text

    def _take(self, said: Samples, language: str | None) -> _Ear | None:
        """A stream that fits the utterance, to be used up; None: there is none."""
        with self._ear_lock:
            ear = self._ear
            if ear is None or not ear.fits(said, language):
                return None
            self._ear = None  # lost if it fails
            fork = ear.fork()
            if fork is not None:
                self._ear = ear
            return fork or ear
