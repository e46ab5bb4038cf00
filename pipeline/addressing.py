"""Addressing: judges whether a stretch of speech is meant for the program, and is more than a nod."""

import functools
import json
import math
import statistics
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.interjections import content_words, is_unlikely_turn, may_become_interjection
from pipeline.timbre import Floats, Timbre
from pipeline.words import has_words

WEIGHTS = Path(__file__).with_suffix(".json")
"""The weights and thresholds, which `python -m training.addressing` writes."""

TURNS_COMPARED = 10
"""The user's latest turns that the speech is compared with."""

DOUBTFUL_DB = 7.5
"""Speech softer than the user by this much may be somebody else's, though it was answered: twice the
standard deviation of one user's turns."""

LONG_MS = 1000
"""Speech of this length is judged by the weights for all of it, though it goes on: it is longer than a
back-channel."""

NOT_MEANT = "not meant for the program"
NO_TURN = "said over the reply, and no turn"
"""Reasons of speech that is not answered: in silence, and over an answer."""

SILENCE = "silence"
FEATURES = ("bias", "words", "no_words", "long_no_words", "short", "unlikely", "soft", "dull", "hissing")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of speech that may be no turn: all of it, or what was said so far."""

    timbre: Timbre
    text: str
    language: str | None
    spoken_ms: float
    """Time from the first to the last voiced window."""
    answering: bool
    """True if an answer is being heard, or awaited."""
    asked: bool
    """True if the program's latest words were a question: any word may answer it."""
    whole: bool
    """True if the speech is over."""

    @property
    def case(self) -> str:
        """The weights that apply: there are three sets."""
        if not self.whole and self.spoken_ms < LONG_MS:
            return "so_far"
        return "answering" if self.answering else SILENCE


class Addressing:
    """The judge of one session. Safe to call from any thread.

    A logistic of the features below, which compare the speech with this user's turns as far as they are
    known. Word lists are one feature of several. `pipeline/addressing.json` has the weights.
    """

    def __init__(self) -> None:
        self._turns: deque[Timbre] = deque(maxlen=TURNS_COMPARED)
        self._doubtful = 0
        """Number of consecutive latest turns that may be somebody else's."""
        self._unlikely_words: frozenset[str] = frozenset()
        """The words of the latest stretch that the weights took for no turn."""
        self._lock = threading.Lock()

    def learn(self, timbre: Timbre) -> None:
        """Learn from speech that was taken for a turn of the user.

        Soft speech is answered in doubt, but learned from only if no other comes for long. Otherwise a
        television would soon be the user: after the first eight, seven of ten sentences were answered.
        """
        with self._lock:
            user = typical(list(self._turns))
            is_doubtful = user is not None and timbre.level_db < user.level_db - DOUBTFUL_DB
            self._doubtful = self._doubtful + 1 if is_doubtful else 0
            if not 0 < self._doubtful <= TURNS_COMPARED:
                self._turns.append(timbre)

    def is_meant(self, stretch: Stretch) -> bool:
        """True if the speech is more likely a turn than not; without words it never is. The words of
        whole speech that is unlikely are remembered: in silence, it is meant if it is said again."""
        if not has_words(stretch.text):
            return False
        model = _model()[stretch.case]
        values = zip(FEATURES, features(stretch, self._user()), strict=True)
        score = sum(float(model["weights"][name] * value) for name, value in values)
        likely = score >= float(model["threshold"])
        if likely or not stretch.whole:
            return likely
        words = frozenset(content_words(stretch.text, stretch.language, answering=False))
        with self._lock:
            before, self._unlikely_words = self._unlikely_words, words
        return stretch.case == SILENCE and is_said_again(words, before)

    def is_soft(self, timbre: Timbre, below_db: float) -> bool:
        """True if the speech is so much softer than this user's turns."""
        user = self._user()
        return user is not None and timbre.level_db < user.level_db - below_db

    def _user(self) -> Timbre | None:
        with self._lock:
            return typical(list(self._turns))


def is_said_again(words: frozenset[str], before: frozenset[str]) -> bool:
    """True if most of these words are those that were refused just `before`, over an answer or in
    silence. A user who has moved away, and gets no answer, says them again; a television does not."""
    return len(words) > 1 and 2 * len(words & before) > len(words | before)


def typical(turns: list[Timbre]) -> Timbre | None:
    """The median of each property; None without turns."""
    if not turns:
        return None
    names = [field.name for field in fields(Timbre)]
    return Timbre(*(statistics.median(getattr(turn, name) for turn in turns) for name in names))


def features(stretch: Stretch, user: Timbre | None) -> Floats:
    """The features, in the order of `FEATURES`. Nothing known of the user counts as no difference."""
    timbre, text, language = stretch.timbre, stretch.text, stretch.language
    user = user or timbre
    words = len(content_words(text, language, answering=stretch.answering))
    if not stretch.whole and may_become_interjection(text, language):
        words = 0
    if stretch.asked:
        words = max(1, words)
    short = min(max(1 - stretch.spoken_ms / 1000, 0), 1)
    return np.array(
        (
            1.0,
            math.log2(1 + min(words, 7)) / 2,
            words == 0,
            (words == 0) * (1 - short),
            short,
            stretch.answering and not stretch.asked and is_unlikely_turn(text, language),
            _tens(user.level_db - timbre.level_db),
            _tens(user.brightness_db - timbre.brightness_db),
            (1 - timbre.voiced) * _tens(timbre.brightness_db - user.brightness_db),
        )
    )


def _tens(difference_db: float) -> float:
    """A difference in tens of dB, 0 to 2."""
    return min(max(difference_db, 0.0), 20.0) / 10


@functools.cache
def _model() -> Mapping[str, Any]:
    model: Mapping[str, Any] = json.loads(WEIGHTS.read_text("utf-8"))
    return model
