"""Fit the weights of `pipeline/addressing.py`: python -m training.addressing [examples of each kind].

Every example is heard as a session hears it, through Silero, the endpointer and Moonshine, so far and
whole, over an answer and in silence. Prints what is let through on the voices that were not fitted on,
beside the rules by length and loudness alone, and writes the weights.
"""

import functools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from benchmarks.figures import table
from pipeline.addressing import FEATURES, LONG_MS, TURNS_COMPARED, WEIGHTS, Stretch, features, typical
from pipeline.impression import JUDGED_AT_MS
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.timbre import Timbre
from pipeline.turn import CancelToken
from pipeline.words import has_words
from STT.moonshine import MoonshineRecognizer
from training.logistic import Floats, fit, threshold
from training.stretches import FITTED, HELD_OUT, Example, examples, turns_of
from VAD.endpointer import PHRASE_PAUSE_MS, Endpointer, Voice
from VAD.silero import SileroDetector

SEED = 7
EACH = 220
KEPT = {"so_far": 0.75, "answering": 0.995, "silence": 0.999}
"""Share of the turns among the fitted examples that the threshold lets through. A turn that is not
recognized by its beginning is so by its whole; a nod that passes for one makes the reply stumble. In
silence a user who is ignored minds more than one who gets an answer too many."""
UNKNOWN = 0.1
"""Share of the examples in which nothing is known of the user yet."""
SPREAD_DB = 3.5
"""Standard deviation of the level and the brightness from one turn of a user to the next: 3.9 and 3.2 in
33 utterances of one speaker. Synthesizers always speak alike."""
BEGINNINGS_MS = [ms for ms in JUDGED_AT_MS if ms < LONG_MS]
WINDOW, RATE_HZ = 512, 16000
Model: TypeAlias = dict[str, dict[str, Any]]
CONTEXTS_OF = {"nod": (True,), "answer": (False,)}
"""Contexts of the sounds that do not occur in both: True is over an answer. The same words are a nod
there, and an answer in silence."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch as it was heard, and the user whom it is compared with."""

    kind: str
    stretch: Stretch
    user: Timbre | None

    @property
    def is_meant(self) -> bool:
        """True if it is to be answered."""
        return self.kind in ("turn", "answer")

    @property
    def passes_by_rule(self) -> bool:
        """The verdict by length, loudness and the presence of words."""
        stretch, user = self.stretch, self.user
        if not has_words(stretch.text):
            return False
        short = stretch.spoken_ms < 600
        return (
            not stretch.answering
            or not short
            or user is None
            or (stretch.timbre.level_db >= user.level_db - 6)
        )


class Ear:
    """The voice detector and the recognizer, as a session uses them."""

    def __init__(self) -> None:
        self._detector = SileroDetector()
        self._recognizer = MoonshineRecognizer()

    def hear(self, audio: Samples) -> Iterator[Stretch]:
        """Judge the first stretch in some audio: its beginnings, then all of it."""
        settings = EndpointerSettings(min_silence_ms=PHRASE_PAUSE_MS)
        endpointer = Endpointer(settings, 1000 * WINDOW / RATE_HZ)
        stream, pad = self._detector.open(), int(settings.speech_pad_ms * RATE_HZ / 1000)
        moments = list(BEGINNINGS_MS)
        for end in range(WINDOW, len(audio) + 1, WINDOW):
            voice = endpointer.step(stream.probability(audio[end - WINDOW : end]))
            start = max(0, endpointer.start * WINDOW - pad)
            if voice is Voice.ENDED:
                yield from self._stretch(audio[start : endpointer.end * WINDOW + pad], endpointer, True)
                return
            if endpointer.confirmed and moments and endpointer.spoken_ms >= moments[0]:
                del moments[0]
                yield from self._stretch(audio[start:end], endpointer, False)

    def _stretch(self, said: Samples, endpointer: Endpointer, whole: bool) -> Iterator[Stretch]:
        text = self._recognizer.transcribe(said, None, CancelToken()).text
        timbre = Timbre.of(said, RATE_HZ)
        if timbre is not None:
            yield Stretch(timbre, text, "en", endpointer.spoken_ms, False, False, whole)


@functools.cache
def _turns(voice: str) -> list[Timbre]:
    return [timbre for turn in turns_of(voice) if (timbre := Timbre.of(turn, RATE_HZ))]


def _user(voice: str, chance: np.random.Generator) -> Timbre | None:
    """The user as known after one turn or more, each with its own level and brightness."""
    turns = _turns(voice)
    known = [
        turns[int(chance.integers(len(turns)))]
        for _ in range(int(chance.integers(1, TURNS_COMPARED + 1)))
    ]
    return typical(
        [
            replace(
                turn,
                level_db=turn.level_db + chance.normal(0, SPREAD_DB),
                brightness_db=turn.brightness_db + chance.normal(0, SPREAD_DB),
            )
            for turn in known
        ]
    )


def heard(ear: Ear, of: Iterator[Example], seed: int) -> list[Heard]:
    """Hear every example in every context in which it may occur."""
    chance, found = np.random.default_rng(seed), []
    for example in of:
        user = None if chance.random() < UNKNOWN else _user(example.user, chance)
        contexts = CONTEXTS_OF.get(example.kind, (True, False))
        for stretch in ear.hear(example.audio):
            found += [
                Heard(example.kind, replace(stretch, answering=answering), user)
                for answering in contexts
                if answering or stretch.whole
            ]
    return found


def matrix(of: Sequence[Heard]) -> Floats:
    """The features of the examples."""
    return np.array([features(each.stretch, each.user) for each in of])


def compared(of: Sequence[Heard], model: Model) -> str:
    """Tabulate the examples that pass for turns, by the rule and by the model."""
    rows: list[list[object]] = []
    cases = [("answering", "over an answer", 0.0), ("silence", "in silence", 0.0)]
    cases += [("so_far", f"over an answer, the first {ms} ms", float(ms)) for ms in BEGINNINGS_MS]
    for case, name, ms in cases:
        weights = np.array([model[case]["weights"][name] for name in FEATURES])
        for kind in ("turn", "answer", "nod", "filler", "hum", "tic", "aside"):
            those = [one for one in of if one.kind == kind and one.stretch.case == case]
            those = [one for one in those if one.stretch.whole or 0 <= one.stretch.spoken_ms - ms < 32]
            if not those:
                continue
            spoke = np.array([has_words(one.stretch.text) for one in those])
            passed = (matrix(those) @ weights >= model[case]["threshold"]) & spoke
            rule = np.mean([one.passes_by_rule for one in those])
            figures = [f"{100 * share:.0f} %" for share in (rule, passed.mean())]
            rows.append([name, kind, len(those), *figures, "yes" if those[0].is_meant else "no"])
    header = ["heard", "what", "how many", "passes by the rule", "passes", "should"]
    return table("Speech that passes for a turn, voices that were not fitted on", header, rows)


def fitted(of: Sequence[Heard]) -> Model:
    """Fit the weights and thresholds of every case."""
    model: Model = {}
    for case, kept in KEPT.items():
        those = [one for one in of if one.stretch.case == case and has_words(one.stretch.text)]
        labels, values = np.array([one.is_meant for one in those]), matrix(those)
        bias, others = fit(values[:, 1:], labels)
        weights = np.array((bias, *others))
        rounded = [round(float(weight), 3) for weight in weights]
        model[case] = {
            "threshold": round(threshold(values @ weights, labels, kept), 3),
            "weights": dict(zip(FEATURES, rounded, strict=True)),
        }
    return model


def main(each: int = EACH) -> str:
    """Fit, write the weights, and return the comparison."""
    ear = Ear()
    model = fitted(heard(ear, examples(FITTED, SEED, each), SEED))
    WEIGHTS.write_text(json.dumps(model, indent=2) + "\n", "utf-8")
    return compared(heard(ear, examples(HELD_OUT, SEED + 1, each // 2), SEED + 1), model)


if __name__ == "__main__":
    print(main(*map(int, sys.argv[1:])))
