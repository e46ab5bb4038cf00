"""LiveTranscript: a partial transcript of the utterance while the user speaks."""

from collections.abc import Callable

from pipeline.audio import resample, split_at_quiet
from pipeline.events import PartialTranscript
from pipeline.language import if_spoken
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.agreement import Agreement
from STT.base import Recognizer

MIN_AUDIO_S = 0.5
"""Audio between two partial transcripts, and before the first: about two words."""

STRETCH = 4
"""Partial transcripts become rarer as the audio grows: the next one is due when it is longer by a
quarter."""

MAX_AUDIO_S = 6.0
"""Audio that is recognized again and again; the audio before it is settled. A recognizer needs 0.2 s for
it on two cores."""


class _Growing:
    """One utterance. Touched by the VAD's thread while no call runs, and by the call while one does."""

    def __init__(self) -> None:
        self.agreement = Agreement()
        self.settled_samples = 0
        self.due_samples = 0.0
        self.begun = False


class LiveTranscript:
    """Recognizes the growing audio of one session again and again, beside the pipeline.

    One call at a time, and only on an idle slot. A pause cancels the call; if the recognizer cannot be
    stopped, the recognition of a turn waits for the rest of that call at most. Does nothing if no client
    asked for `PartialTranscript`.
    """

    def __init__(
        self,
        recognizer: SharedEngine[Recognizer],
        session: Session,
        read_ahead: Callable[[str], object] = lambda words: None,
    ) -> None:
        """`read_ahead` is called when the user begins to speak, and with words that will not change."""
        self._recognizer = recognizer
        self._session = session
        self._read_ahead = read_ahead
        self._growing = _Growing()
        self._busy = False
        self._cancel = CancelToken()

    def begin(self) -> None:
        """A new utterance begins."""
        self._growing = _Growing()

    def grow(self, length: int, said: Callable[[], Samples], rate_hz: int) -> None:
        """The utterance has grown to `length` samples, which `said` returns. Does not wait."""
        growing, shortest = self._growing, MIN_AUDIO_S * rate_hz
        if not growing.begun:
            growing.begun = True
            self._read_ahead("")
        if self._busy or length < max(shortest, growing.due_samples):
            return
        if not (self._session.events.wanted(PartialTranscript) and self._recognizer.idle_slots):
            return
        samples = said()[growing.settled_samples :]
        growing.due_samples = length + max(shortest, len(samples) / STRETCH)
        self._busy = True
        cancel = self._cancel = CancelToken()
        self._session.activity.woke()

        def recognize(recognizer: Recognizer) -> None:
            try:
                self._recognize(recognizer, growing, samples, rate_hz, cancel)
            finally:
                self._busy = False
                self._session.activity.sleeps()

        self._recognizer.later(recognize)

    def pause(self) -> None:
        """Free the recognizer for the utterance, which may be over. If the utterance goes on, the next
        partial transcript is due at once."""
        self._cancel.cancel()
        if self._busy:
            self._growing.due_samples = 0.0

    def _recognize(
        self,
        recognizer: Recognizer,
        growing: _Growing,
        samples: Samples,
        rate_hz: int,
        cancel: CancelToken,
    ) -> None:
        *settled, growing_part = split_at_quiet(samples, rate_hz, MAX_AUDIO_S)
        for part in settled:
            text = self._transcribe(recognizer, part, rate_hz, cancel)
            if cancel.cancelled:
                return
            growing.agreement.add(text)
            growing.agreement.settle()
            growing.settled_samples += len(part)
        text = self._transcribe(recognizer, growing_part, rate_hz, cancel)
        if cancel.cancelled:
            return
        growing.agreement.add(text)
        if growing is self._growing:
            text, stable = growing.agreement.text, growing.agreement.stable
            self._session.events.emit(PartialTranscript(text.rstrip(), len(stable.rstrip())))
            if stable:
                self._read_ahead(stable.rstrip())

    def _transcribe(
        self, recognizer: Recognizer, samples: Samples, rate_hz: int, cancel: CancelToken
    ) -> str:
        audio = resample(samples, rate_hz, recognizer.info.sample_rate_hz)
        language = if_spoken(recognizer.info.languages, self._session.settings.language)
        return recognizer.transcribe(audio, language, cancel).text
