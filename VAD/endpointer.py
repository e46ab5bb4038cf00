"""Endpointer: finds the beginning and end of utterances in the speech probabilities of windows."""

import math
from enum import Enum

from pipeline.settings import EndpointerSettings

HYSTERESIS = 0.15
"""Speech ends at a lower probability than it begins, by the difference that Silero's own iterator uses
(VADIterator in snakers4/silero-vad)."""

ONSET_PATIENCE_MS = 160
"""Pause allowed within the first syllables: the closure of a stop consonant lasts 50 to 120 ms. After a
longer one, before `min_speech_ms` is reached, the sound was a click, a cough, a chair."""

SHORT_PAUSE_MS = 32
"""Pause after which the utterance may be over: one window. The work that it starts can be discarded,
since people often go on. The words are recognized as well as after a longer pause (32 of 33 utterances
have the same text as after 96 ms). Within the utterances of 220 s of human speech there were 46 such
pauses, 34 of them longer than 96 ms: the voice detector bridges the closures of consonants."""

PHRASE_PAUSE_MS = 160
"""Pause longer than those between the words of a phrase: a sentence that sounds complete is over."""


class Voice(Enum):
    """The change that a window brought about."""

    NOTHING = "nothing"
    ONSET = "onset"
    """The user may be starting to speak."""
    PAUSED = "paused"
    """The utterance may be over: there was a short pause."""
    RESUMED = "resumed"
    """The user went on after the short pause."""
    REJECTED = "rejected"
    """The sound was too short for speech."""
    CONFIRMED = "confirmed"
    """The sound is speech, which began at `start`."""
    ENDED = "ended"
    """The utterance was over at `end`, and the silence since then has lasted long enough."""


class Endpointer:
    """Counts windows; knows nothing of clocks.

    `start` is the first window of the current or latest speech, `end` the window after its last.
    """

    def __init__(self, settings: EndpointerSettings, window_ms: float) -> None:
        self._thresh = settings.thresh
        self._end_thresh = max(settings.thresh - HYSTERESIS, 0.01)
        self._min_speech = math.ceil(settings.min_speech_ms / window_ms)
        self._onset_patience = math.ceil(ONSET_PATIENCE_MS / window_ms)
        self._short_pause = math.ceil(min(SHORT_PAUSE_MS, settings.min_silence_ms) / window_ms)
        self._window_ms = window_ms
        self._confirmed = False
        self._silent = 0
        self.patience_ms = settings.min_silence_ms
        """Length of the silence that ends the utterance; may be changed from window to window."""
        self.windows = 0
        """Windows seen so far."""
        self.in_speech = False
        self.start = 0
        self.end = 0

    @property
    def confirmed(self) -> bool:
        """True while the user is speaking beyond doubt."""
        return self.in_speech and self._confirmed

    @property
    def spoken_ms(self) -> float:
        """Duration from the first to the last window of the current or latest speech."""
        return (self.end - self.start) * self._window_ms

    def confirm(self) -> None:
        """Treat the sound that has begun as speech, since the user signaled it."""
        self._confirmed = True

    def skip(self, windows: int) -> None:
        """Skip `windows` windows that were left out, which ends an utterance."""
        self.windows += windows
        self.in_speech = False

    def step(self, probability: float) -> Voice:
        """Count one window."""
        self.windows += 1
        if not self.in_speech:
            return self._begin() if probability >= self._thresh else Voice.NOTHING
        resumed = False
        if probability >= self._thresh:
            resumed = self._silent >= self._short_pause
            self._silent = 0
            self.end = self.windows
        elif self._silent or probability < self._end_thresh:
            self._silent += 1
        else:
            self.end = self.windows
        voice = self._judge()
        return Voice.RESUMED if resumed and voice is Voice.NOTHING else voice

    def _begin(self) -> Voice:
        self.in_speech, self._confirmed, self._silent = True, False, 0
        self.start, self.end = self.windows - 1, self.windows
        return Voice.ONSET

    def _judge(self) -> Voice:
        length = self.end - self.start
        if not self._confirmed:
            if length >= self._min_speech:
                self._confirmed = True
                return Voice.CONFIRMED
            if self._silent >= self._onset_patience:
                self.in_speech = False
                return Voice.REJECTED
        elif self._silent >= self._short_pause and self._silent * self._window_ms >= self.patience_ms:
            self.in_speech = False
            return Voice.ENDED
        elif self._silent == self._short_pause:
            return Voice.PAUSED
        return Voice.NOTHING
