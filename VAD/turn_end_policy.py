"""TurnEndPolicy: decides how long the pause must be that ends a turn."""

from collections.abc import Callable

from pipeline.activity import Activity
from pipeline.audio import resample
from pipeline.language import speaks
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.turn import Turn
from VAD.base import SentenceJudge, TurnDetector
from VAD.endpointer import PHRASE_PAUSE_MS
from VAD.turn_end_score import TurnEndScore
from VAD.turn_judges import TurnJudges

LONGEST_PATIENCE = 2
"""Times the usual pause, for an utterance that is probably unfinished: a second by default."""

USUAL_PAUSE_MS = EndpointerSettings().min_silence_ms
"""The pause of a user who has not set another. Patience grows in proportion to the user's own."""

HEARD_SILENCE_MS = 32
"""Silence of the pause that the detector hears. The more of it, the more complete everything sounds:
telling 26 whole sentences from 189 cut at a word, the area under the curve is 0.83 with 32 ms, 0.80 with
128 ms, and falls on from there; so a second look, later, does not help."""

MAX_JUDGED_S = 8.0
"""The window of Smart Turn: the end of the utterance that it hears."""


class TurnEndPolicy:
    """Decides by the sound and the words of an utterance, as far as there are models to judge them.

    The sound is judged when a pause begins, the words when the recognizer has them, both on threads of
    the models while the pause grows. Only the words of a guess at the turn are judged; its answer could
    not begin without them, so the verdict waits for them too. If the models fail or are late, the pause
    alone decides.
    """

    def __init__(self, settings: EndpointerSettings, judges: TurnJudges, activity: Activity) -> None:
        self.settings = settings
        """May be replaced between two utterances."""
        self._judges = judges
        self._activity = activity
        self._score = TurnEndScore.load()
        self._pause = 0
        self._by_ear: tuple[int, float] = (-1, 0.0)
        """Number of the pause, and the completeness of the speech before it."""
        self._guess: Turn | None = None
        """The turn of this pause, the words of which are being recognized."""
        self._by_words: tuple[Turn | None, float | None] = (None, None)
        """A turn, and the probability that its words are a whole sentence; None: they tell nothing."""

    @property
    def patience_ms(self) -> float:
        """Length of the pause that ends the turn now."""
        usual_ms = self.settings.min_silence_ms
        by_ear, by_words, awaited = self._known()
        if by_ear is None and by_words is None:
            return usual_ms
        needed_ms = self._score.pause_needed(by_ear, by_words, self.settings.turn_threshold)
        needed_ms *= usual_ms / USUAL_PAUSE_MS
        shortest_ms = usual_ms if awaited else PHRASE_PAUSE_MS
        return min(max(needed_ms, shortest_ms), LONGEST_PATIENCE * usual_ms)

    @property
    def is_doubtful(self) -> bool:
        """True if the models have answered and the pause has to be longer than between phrases."""
        *_, awaited = known = self._known()
        return not awaited and known[:2] != (None, None) and self.patience_ms > PHRASE_PAUSE_MS

    def pause_began(self, said: Callable[[], Samples], rate_hz: int) -> None:
        """Ask the detector about the turn up to this pause; `said` returns its audio."""
        self._pause += 1
        if self._judges.by_ear is None or not self.settings.semantic:
            return
        pause = self._pause
        heard = said()[-int(MAX_JUDGED_S * rate_hz) :]
        samples = resample(heard, rate_hz, self._judges.by_ear.engine.sample_rate_hz)

        def judge(detector: TurnDetector) -> None:
            try:
                if pause == self._pause:  # else the line was long, and the pause is over
                    self._by_ear = pause, detector.completeness(samples)
            finally:
                self._activity.sleeps()

        self._activity.woke()
        self._judges.by_ear.later(judge)

    def guessed(self, turn: Turn) -> None:
        """Expect the words of the utterance up to this pause: `turn` is a guess at it."""
        if self._judges.by_words is not None and self.settings.semantic:
            self._guess = turn

    def heard_words(self, turn: Turn, words: str, language: str | None) -> None:
        """Ask the language model about the words of a guess. Called on the recognizer's thread."""
        judges = self._judges.by_words
        if judges is None or turn is not self._guess:
            return
        if language is not None and not speaks(judges.engine.languages, language):
            self._by_words = turn, None
            return

        def judge(model: SentenceJudge) -> None:
            try:
                self._by_words = turn, None
                if turn is self._guess:
                    self._by_words = turn, model.ended(words)
            finally:
                self._activity.sleeps()

        self._activity.woke()
        judges.later(judge)

    def pause_ended(self) -> None:
        """The user went on, or the turn has ended: ignore a verdict that comes now."""
        self._pause += 1
        self._guess = None

    def _known(self) -> tuple[float | None, float | None, bool]:
        """The judgments of this pause by ear and by words, and whether the words are yet to come."""
        pause, completeness = self._by_ear
        turn, ended = self._by_words
        guess = self._guess
        by_words = ended if guess is not None and turn is guess else None
        awaited = guess is not None and turn is not guess and guess.alive
        return completeness if pause == self._pause else None, by_words, awaited
