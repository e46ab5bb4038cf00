"""TurnEndPolicy: how long a pause ends the turn."""

from pipeline.audio import resample
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from VAD.base import TurnDetector
from VAD.endpointer import PHRASE_PAUSE_MS

PATIENCE_WITH_UNFINISHED = 2
"""Who sounds unfinished is given twice the silence: a second, by default, to find the word."""

HEARD_SILENCE_MS = 32
"""Of the pause the detector hears only the beginning. The more silence it hears, the more complete
everything sounds to it: telling 26 whole sentences from 189 cut at a word, the area under the curve is
0.83 with 32 ms, 0.80 with 128 ms, and falls on from there; so a second look, later, does not help."""

MAX_JUDGED_S = 8.0
"""What a turn detector hears of an utterance: the window of Smart Turn."""


class TurnEndPolicy:
    """By silence alone, or by a detector that hears whether what was said is complete.

    The detector is asked at the beginning of a pause, and answers on a thread of its own while it grows
    to the length of one between phrases; the next window knows. One that fails or is slow costs nothing
    but its help.
    """

    def __init__(
        self, settings: EndpointerSettings, detector: SharedEngine[TurnDetector] | None, session: Session
    ) -> None:
        self._settings = settings
        self._detector = detector
        self._activity = session.activity
        self._pause = 0
        self._verdict: tuple[int, float] = (-1, 0.0)
        """Of which pause, and how complete what was said before it sounded."""

    @property
    def patience_ms(self) -> float:
        """How long a pause ends the turn now."""
        pause, completeness = self._verdict
        if pause != self._pause:
            return self._settings.min_silence_ms
        if completeness >= self._settings.turn_threshold:
            return PHRASE_PAUSE_MS
        return PATIENCE_WITH_UNFINISHED * self._settings.min_silence_ms

    def pause_began(self, said: Samples, rate_hz: int) -> None:
        """The user paused, having `said` this so far in their turn."""
        if self._detector is None or not self._settings.semantic:
            return
        self._pause += 1
        pause, activity = self._pause, self._activity
        heard = said[-int(MAX_JUDGED_S * rate_hz) :]
        samples = resample(heard, rate_hz, self._detector.engine.sample_rate_hz)

        def ask(detector: TurnDetector) -> None:
            try:
                if pause == self._pause:  # else the line was long, and the pause is over
                    self._verdict = pause, detector.completeness(samples)
            finally:
                activity.sleeps()

        activity.woke()
        self._detector.later(ask)

    def pause_ended(self) -> None:
        """The user went on, or the turn ended: a verdict that comes now is void."""
        self._pause += 1
