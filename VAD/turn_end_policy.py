"""TurnEndPolicy: decides how long the pause must be that ends a turn."""

from collections.abc import Callable

from pipeline.activity import Activity
from pipeline.audio import resample
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from VAD.base import TurnDetector
from VAD.endpointer import PHRASE_PAUSE_MS

PATIENCE_WITH_UNFINISHED = 2
"""Times the usual pause, for an utterance that sounds unfinished: a second by default."""

HEARD_SILENCE_MS = 32
"""Silence of the pause that the detector hears. The more of it, the more complete everything sounds:
telling 26 whole sentences from 189 cut at a word, the area under the curve is 0.83 with 32 ms, 0.80 with
128 ms, and falls on from there; so a second look, later, does not help."""

MAX_JUDGED_S = 8.0
"""The window of Smart Turn: the end of the utterance that it hears."""


class TurnEndPolicy:
    """Decides by silence alone, or with a turn detector that judges whether an utterance is complete.

    The detector is asked when a pause begins and answers on a thread of its own while the pause grows to
    the length of one between phrases; the next window knows. If it fails or is late, the pause alone
    decides.
    """

    def __init__(
        self,
        settings: EndpointerSettings,
        detector: SharedEngine[TurnDetector] | None,
        activity: Activity,
    ) -> None:
        self.settings = settings
        """May be replaced between two utterances."""
        self._detector = detector
        self._activity = activity
        self._pause = 0
        self._verdict: tuple[int, float] = (-1, 0.0)
        """Number of the pause, and the completeness of the speech before it."""

    @property
    def patience_ms(self) -> float:
        """Length of the pause that ends the turn now."""
        pause, completeness = self._verdict
        if pause != self._pause:
            return self.settings.min_silence_ms
        if completeness >= self.settings.turn_threshold:
            return PHRASE_PAUSE_MS
        return PATIENCE_WITH_UNFINISHED * self.settings.min_silence_ms

    def pause_began(self, said: Callable[[], Samples], rate_hz: int) -> None:
        """Ask the detector about the turn up to this pause; `said` returns its audio."""
        if self._detector is None or not self.settings.semantic:
            return
        self._pause += 1
        pause, activity = self._pause, self._activity
        heard = said()[-int(MAX_JUDGED_S * rate_hz) :]
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
        """The user went on, or the turn has ended: ignore a verdict that comes now."""
        self._pause += 1
