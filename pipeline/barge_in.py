"""BargeIn: speech during a reply or shortly before it, which is judged while the reply is ducked."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.addressing import LONG_MS, Addressing, Stretch
from pipeline.awaited_turn import AwaitedTurn
from pipeline.clock import Clock
from pipeline.impression import AskWords, Impression
from pipeline.messages import Samples, Utterance
from pipeline.playout import Playout
from pipeline.timbre import Timbre

DUCK_AFTER_MS = 64
"""Two windows: one alone may be a click. Ducking is reversible, so a mistake costs little."""

PAUSE_AFTER_MS = 448
"""Most back-channels and coughs are over, and the first words of the others have been recognized. A
pause by mistake is heard as a stumble."""

INTERRUPT_AFTER_MS = LONG_MS
"""Back-channels last 0.2 to 0.7 s."""

PAUSE_WITHOUT_WORDS_MS = 200
"""If no words can be recognized: a cough or a knock is shorter, a word is longer."""

SHORT_MS = 600
"""If no words can be recognized: speech shorter than this may be a back-channel."""

RENEWED_S = 1.0
"""Time without a window of speech after which the reply resumes; each window renews duck and pause."""

VERDICT_S = 3.0
"""Time without a transcript after which the reply resumes; a recognizer takes a tenth of it for a
word."""

_SPEAKING: Final = "the user speaks"
_JUDGING: Final = "the user's words are judged"
_QUESTION_MARKS = ("?", "？", "؟", ";")
"""The last is the Greek question mark in its usual encoding."""


class BargeIn:
    """Judges speech over a reply, in full duplex, and speech while a reply is awaited.

    The reply is ducked at once. It is paused only if the words, the loudness and the sound so far make
    it likely that the user takes the turn. It is interrupted if that goes on for a second, or if the
    whole is judged to be a turn when it is over. Without a transcript, length alone decides.
    """

    def __init__(self, playout: Playout, clock: Clock, interrupt: Callable[[str], None]) -> None:
        self.hears_words = False
        """True if a stage judges speech over a reply once that speech has ended; set by the stage."""
        self.awaited = AwaitedTurn()
        self._playout = playout
        self._clock = clock
        self._interrupt = interrupt
        self._addressing = Addressing()
        self._impression: Impression | None = None
        self._paused = False
        self._replayed: Sequence[tuple[float, float]] | None = None

    def judge_by_words(self, ask: AskWords) -> None:
        """Judge speech by its first words, too, which `ask` recognizes."""
        self._impression = Impression(self._addressing, ask)

    def replay(self, sounding: Sequence[tuple[float, float]]) -> None:
        """For a replay: a reply counts as heard at the recorded times.

        The replies may be longer or shorter now.
        """
        self._replayed = sounding

    @property
    def overlapping(self) -> bool:
        """True if speech at this moment overlaps a reply."""
        if self._replayed is not None and self._playout.full_duplex:
            now = self._clock.now()
            return any(start <= now < end for start, end in self._replayed)
        return self._playout.full_duplex and self._playout.sounding

    @property
    def judges(self) -> bool:
        """True if words decide whether speech while a reply is awaited belongs to the user's turn."""
        return self._impression is not None

    @property
    def yields_floor(self) -> bool:
        """True if an awaited reply may begin, though somebody is speaking. In half duplex it may not,
        since it would cut off the rest of the speech, unheard."""
        unmeant = self._impression is not None and self._impression.meant is False
        return unmeant and self.awaited.pending and self._playout.full_duplex

    def begins(self) -> None:
        """A sound begins, which may be speech."""
        self._paused = False
        if self._impression is not None:
            self._impression.begin()

    def goes_on(self, spoken_ms: float, said: Callable[[], Samples], rate_hz: int) -> None:
        """Somebody has been speaking for `spoken_ms`, over the reply or while it is awaited: duck, pause
        or interrupt it. `said` returns the speech so far."""
        likely = self._is_likely(spoken_ms, said, rate_hz)
        if likely and spoken_ms >= INTERRUPT_AFTER_MS:
            if not self.awaited.drop():
                self._interrupt("the user kept talking")
            self.over()
            return
        if not self.overlapping:
            return
        until = self._clock.now() + RENEWED_S
        if spoken_ms >= DUCK_AFTER_MS:
            self._playout.duck(until)
        if likely:
            self._playout.pause(_SPEAKING, until)
        elif self._paused:
            self._playout.resume(_SPEAKING)
        self._paused = likely

    def waits_for_verdict(self) -> None:
        """The speech is over, and `is_turn` will judge it: keep a reply silent that is paused, or that
        has not begun."""
        if self._paused or not (self.overlapping or self.yields_floor):
            self._playout.pause(_JUDGING, self._clock.now() + VERDICT_S)
        self.over()

    def decided(self) -> None:
        """Stop holding the reply for the speech, which has been judged."""
        self._playout.resume(_JUDGING)

    def over(self) -> None:
        """Let the reply resume, if its turn is still alive: the user no longer speaks."""
        self._paused = False
        self._playout.duck(until=-math.inf)
        self._playout.resume(_SPEAKING)

    def learn(self, timbre: Timbre) -> None:
        """Learn the sound of an utterance that was a turn."""
        self._addressing.learn(timbre)

    def is_turn(
        self, utterance: Utterance, text: str | None, language: str | None, timbre: Timbre | None
    ) -> bool:
        """True if this utterance is meant for the program, and more than a back-channel where it
        overlaps a reply.

        Without a transcript (`text` None) its length decides.
        """
        if text is None:
            return not utterance.overlaps or utterance.spoken_ms >= SHORT_MS
        if timbre is None:
            return True
        asked = utterance.earlier is None and self._has_asked
        stretch = Stretch(
            timbre, text, language, utterance.spoken_ms, utterance.overlaps, asked, whole=True
        )
        return self._addressing.is_meant(stretch)

    def _is_likely(self, spoken_ms: float, said: Callable[[], Samples], rate_hz: int) -> bool:
        if self._impression is None:
            return spoken_ms >= PAUSE_WITHOUT_WORDS_MS
        asked = not self.awaited.pending and self._has_asked
        self._impression.follow(spoken_ms, said, rate_hz, asked=asked)
        return spoken_ms >= PAUSE_AFTER_MS and self._impression.meant is True

    @property
    def _has_asked(self) -> bool:
        return self._playout.saying.rstrip().endswith(_QUESTION_MARKS)
