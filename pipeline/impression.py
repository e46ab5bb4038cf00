"""Impression: the judgment of speech that goes on, by its first words and its sound so far."""

from collections.abc import Callable
from typing import TypeAlias

from pipeline.addressing import Addressing, Stretch
from pipeline.messages import Samples
from pipeline.timbre import Timbre

JUDGED_AT_MS = (352, 512, 704, 1024, 1504, 2016)
"""Lengths of the speech at which it is judged. The first is about a word: recognized 60 ms later, it is
in time for a pause at `PAUSE_AFTER_MS`. After the last, the speech is judged again when it is over."""

LATE_MS = 704
"""Length without the first words, of a recognizer that is busy or slow, at which loudness decides."""

SOFT_DB = 6.0
"""Half the amplitude of this user's turns."""

MAX_JUDGED_S = 3.0
"""The end of the speech that is judged."""

AskWords: TypeAlias = Callable[[Samples, int, Callable[[str, str | None], None]], bool]
"""Recognizes samples (with their rate) beside the pipeline, then calls back with text and language.
Returns False if it cannot do so now."""


class Impression:
    """Follows one stretch of speech after another. `meant` is the latest verdict: True if the speech is
    likely to be a turn, None as long as there is none.

    `begin` and `follow` are called from one thread; verdicts come from the recognizer's.
    """

    def __init__(self, addressing: Addressing, ask: AskWords) -> None:
        self.meant: bool | None = None
        self._addressing = addressing
        self._ask = ask
        self._stretch = object()
        self._moments: list[int] = []

    def begin(self) -> None:
        """A new stretch begins; verdicts on the last one are void."""
        self._stretch = object()
        self._moments = list(JUDGED_AT_MS)
        self.meant = None

    def follow(
        self, spoken_ms: float, said: Callable[[], Samples], rate_hz: int, *, asked: bool
    ) -> None:
        """Judge the speech if it is due; `said` returns it. `asked`: the program's latest words were a
        question."""
        if self.meant is None and spoken_ms >= LATE_MS:
            timbre = Timbre.of(_end_of(said(), rate_hz), rate_hz)
            self.meant = timbre is None or not self._addressing.is_soft(timbre, SOFT_DB)
        if not self._moments or spoken_ms < self._moments[0]:
            return
        samples, stretch = _end_of(said(), rate_hz), self._stretch

        def judge(text: str, language: str | None) -> None:
            timbre = Timbre.of(samples, rate_hz)
            if timbre is None or stretch is not self._stretch:
                return
            so_far = Stretch(timbre, text, language, spoken_ms, True, asked, whole=False)
            meant = self._addressing.is_meant(so_far)
            if stretch is self._stretch:
                self.meant = meant

        if self._ask(samples, rate_hz, judge):
            del self._moments[0]


def _end_of(samples: Samples, rate_hz: int) -> Samples:
    return samples[-int(MAX_JUDGED_S * rate_hz) :]
