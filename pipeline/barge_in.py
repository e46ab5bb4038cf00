"""BargeIn: speech during a reply, which is ducked, then paused, then resumed or interrupted."""

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
"""Two windows: one alone may be a click. Ducking is reversible, so a mistake costs little."""

PAUSE_AFTER_MS = 200
"""A cough or a knock is shorter (`min_speech_ms` is the same), a word is longer."""

INTERRUPT_AFTER_MS = 1000
"""Backchannels last 0.2 to 0.7 s, so a second of speech is a turn, whatever the words."""

JUDGED_AT_MS = (352, 512, 704, 1024, 1504, 2016)
"""Moments at which the words so far are judged."""

SHORT_MS = 600
"""Speech shorter than this may be a backchannel; its loudness decides."""

SOFT = 0.5
"""Half the amplitude (-6 dB) of this user's turns: backchannels are spoken softly."""

TURNS_COMPARED = 10
"""The user's latest turns that count toward the median loudness."""

RENEWED_S = 1.0
"""Time without a window of speech after which the reply resumes; each window renews duck and pause."""

VERDICT_S = 3.0
"""Time without a transcript after which the reply resumes; a recognizer takes a tenth of it for a
word."""

LOUDNESS_SAMPLES = 1600
"""100 ms at 16 kHz, about a syllable."""

_SPEAKING: Final = "the user speaks"
_JUDGING: Final = "the user's words are judged"
_QUESTION_MARKS = ("?", "？", "؟", ";")
"""The last is the Greek question mark in its usual encoding."""


class BargeIn:
    """Judges speech over a reply, in full duplex: noise, a backchannel, or a turn.

    Duration decides first: a cough ends before `PAUSE_AFTER_MS`, a turn lasts beyond
    `INTERRUPT_AFTER_MS`. Between the two, transcript and loudness decide: noise has no words; any word
    answers a question; short and soft speech is a backchannel. There is no list of filler words: each
    language and speaker would need another.
    """

    def __init__(self, playout: Playout, clock: Clock, interrupt: Callable[[str], None]) -> None:
        self.hears_words = False
        """True if there is a transcript to judge by; an end-to-end model has none."""
        self._playout = playout
        self._clock = clock
        self._interrupt = interrupt
        self._loudness: deque[float] = deque(maxlen=TURNS_COMPARED)
        self._replayed: Sequence[tuple[float, float]] | None = None

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

    def goes_on(self, spoken_ms: float) -> None:
        """Duck, pause or interrupt the reply: the user has been speaking over it for `spoken_ms`."""
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
        """Hold the reply until `is_turn` has judged the speech over it, which is complete."""
        self._playout.pause(_JUDGING, self._clock.now() + VERDICT_S)
        self.over()

    def decided(self) -> None:
        """Stop holding the reply for the speech, which has been judged."""
        self._playout.resume(_JUDGING)

    def over(self) -> None:
        """Let the reply resume, if its turn is still alive: the user no longer speaks."""
        self._playout.duck(until=-math.inf)
        self._playout.resume(_SPEAKING)

    def learn(self, utterance: Utterance) -> None:
        """Learn the user's loudness from an utterance that was a turn."""
        self._loudness.append(loudness(utterance.samples))

    def is_turn(self, utterance: Utterance, text: str | None) -> bool:
        """True if this utterance over a reply is more than a backchannel.

        Without a transcript (`text` None) its length decides.
        """
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
