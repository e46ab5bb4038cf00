"""BargeIn: speech during a reply. First it is ducked, then paused; then it goes on, or is over."""

import math
import statistics
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.clock import Clock
from pipeline.messages import Samples, Utterance
from pipeline.playout import Playout
from pipeline.words import has_words

DUCK_AFTER_MS = 64
"""Two windows: one alone may be a click. Reversible, so it may be wrong."""

PAUSE_AFTER_MS = 200
"""A cough or a knock is over by then (`min_speech_ms` is the same), a word is not."""

INTERRUPT_AFTER_MS = 1000
"""Nobody nods for a second: it is a turn, whatever the words. Backchannels last 0.2 to 0.7 s."""

SHORT_MS = 600
"""Shorter speech may be a backchannel; then its loudness decides."""

SOFT = 0.5
"""Half the amplitude, 6 dB, under what this user's turns have: people nod under their breath."""

TURNS_COMPARED = 10
"""The user's latest turns, of whose loudness the median is taken."""

RENEWED_S = 1.0
"""Duck and pause are renewed by every window of speech; without any, the reply goes on after so long."""

VERDICT_S = 3.0
"""And without a transcript after so long: a recognizer takes a tenth of that for a word."""

LOUDNESS_SAMPLES = 1600
"""100 ms at 16 kHz, about a syllable."""

_SPEAKING: Final = "the user speaks"
_JUDGING: Final = "it is judged what they said"
_QUESTION_MARKS = ("?", "？", "؟", ";")
"""The last is the Greek one, as it is usually encoded, when it ends a text."""


class BargeIn:
    """Judges what the user says while a reply is heard, in full duplex.

    By duration: a cough ends before the pause, a turn outlasts it. By transcript and loudness between
    the two: noise has no words; a question is answered by any word; what is short and soft is a nod.
    There is no list of filler words, which every language and every speaker would need anew.
    """

    def __init__(self, playout: Playout, clock: Clock, interrupt: Callable[[str], None]) -> None:
        self.hears_words = False
        """Whether there is a transcript to judge by; an end-to-end model has none."""
        self._playout = playout
        self._clock = clock
        self._interrupt = interrupt
        self._loudness: deque[float] = deque(maxlen=TURNS_COMPARED)
        self._replayed: Sequence[tuple[float, float]] | None = None

    def replay(self, sounding: Sequence[tuple[float, float]]) -> None:
        """A conversation is replayed: a reply is taken to be heard when one was, between these moments.
        Those of now may be longer or shorter."""
        self._replayed = sounding

    @property
    def overlapping(self) -> bool:
        """Whether speech now would be over a reply."""
        if self._replayed is not None and self._playout.full_duplex:
            now = self._clock.now()
            return any(start <= now < end for start, end in self._replayed)
        return self._playout.full_duplex and self._playout.sounding

    def goes_on(self, spoken_ms: float) -> None:
        """The user has spoken over the reply for so long by now."""
        if spoken_ms >= INTERRUPT_AFTER_MS:
            self._interrupt("the user spoke on")
            self.over()
            return
        until = self._clock.now() + RENEWED_S
        if spoken_ms >= DUCK_AFTER_MS:
            self._playout.duck(until)
        if spoken_ms >= PAUSE_AFTER_MS:
            self._playout.pause(_SPEAKING, until)

    def waits_for_verdict(self) -> None:
        """What was said over the reply is complete; `is_turn` will be asked."""
        self._playout.pause(_JUDGING, self._clock.now() + VERDICT_S)
        self.over()

    def decided(self) -> None:
        """What was said is no turn, or it is one: the reply need not be held for it any more."""
        self._playout.resume(_JUDGING)

    def over(self) -> None:
        """The user no longer speaks: let the reply go on, if it still lives."""
        self._playout.duck(until=-math.inf)
        self._playout.resume(_SPEAKING)

    def learn(self, utterance: Utterance) -> None:
        """This was a turn: so loud is this user."""
        self._loudness.append(loudness(utterance.samples))

    def is_turn(self, utterance: Utterance, text: str | None) -> bool:
        """Whether this, said over a reply, is more than a nod. None: nobody knows the words, so its
        length decides."""
        if text is None:
            return utterance.spoken_ms >= SHORT_MS
        if not has_words(text):
            return False
        if self._playout.saying.rstrip().endswith(_QUESTION_MARKS):
            return True
        if utterance.spoken_ms >= SHORT_MS or not self._loudness:
            return True
        return loudness(utterance.samples) >= SOFT * statistics.median(self._loudness)


def loudness(samples: Samples) -> float:
    """Root mean square of the loudest syllable, 0 to 1."""
    starts = range(0, len(samples), LOUDNESS_SAMPLES)
    syllables = (samples[start : start + LOUDNESS_SAMPLES] for start in starts)
    return max(
        (math.sqrt(float(syllable @ syllable) / LOUDNESS_SAMPLES) for syllable in syllables), default=0.0
    )
