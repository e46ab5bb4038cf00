"""Fits the weights with which VAD/turn_end_policy.py decides that the user has finished:

    python -m training.turn_end            # prints the comparison, and writes VAD/turn_end.json
    python -m training.turn_end --dry-run  # only prints it

The recordings are those of benchmarks/speech.py (S2S_SPEECH names another folder); the words are those
that Moonshine hears. All figures are cross-fitted: each utterance is judged by weights that were fitted
without the recordings of its group. The weights that are written are fitted to all.
"""

import argparse
import json
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import table
from benchmarks.pauses import SOON_MS, WORDS_MS, Judged, judged
from catalog.weights import FETCH, SMART_TURN, SMOLLM2
from LLM.sentence_end import SmolLM2SentenceJudge
from pipeline.settings import EndpointerSettings
from training.logistic import Bools, Floats, area_under_curve, cross_fitted, fit
from VAD.endpointer import PHRASE_PAUSE_MS
from VAD.smart_turn import SmartTurnDetector
from VAD.turn_end_policy import LONGEST_PATIENCE
from VAD.turn_end_score import WEIGHTS, logit

SEED = 0

SOON_SHARE = 0.85
"""Share of the whole utterances that has to be over within that pause."""

HESITATION_MS = 500
"""Pause within a sentence that as few as possible take for its end."""

PAUSES_MS = range(150, 801, 50)
"""Candidates for `TurnEndScore.pause_ms`."""

FALSE_CUTS = (0.05, 0.1, 0.15, 0.2)
PAUSES_SHOWN_MS = (300, 500, 700)


@dataclass(frozen=True)
class Signal:
    """A choice of judgments."""

    key: str
    """Name in the file of weights."""
    name: str
    by_ear: bool
    by_words: bool

    def features(self, pauses: list[Judged]) -> Floats:
        """Log odds of each judgment, a row for each pause."""
        ears = [logit(pause.by_ear) for pause in pauses]
        words = [logit(pause.by_words) for pause in pauses]
        return np.column_stack([*([ears] if self.by_ear else []), *([words] if self.by_words else [])])

    @property
    def known_ms(self) -> int:
        """Shortest pause after which a turn ends."""
        return WORDS_MS if self.by_words else PHRASE_PAUSE_MS


SIGNALS = (
    Signal("by_ear", "the sound (Smart Turn)", True, False),
    Signal("by_words", "the words (SmolLM2)", False, True),
    Signal("both", "both", True, True),
)


@dataclass(frozen=True)
class Outcome:
    """Lengths of the pauses that end a turn."""

    needed_ms: Floats
    finished: Bools
    lasts_ms: Floats

    @property
    def soon(self) -> float:
        """Share of the whole utterances that are over soon."""
        return float((self.needed_ms[self.finished] <= SOON_MS).mean())

    @property
    def wait_ms(self) -> float:
        """Mean pause after a whole utterance."""
        return float(self.needed_ms[self.finished].mean())

    def cut_off(self, pause_ms: float) -> float:
        """Share of the unfinished utterances that would be cut off in a pause of this length, or in
        their own where it is known."""
        lasts_ms = np.where(np.isinf(self.lasts_ms), pause_ms, self.lasts_ms)
        return float((self.needed_ms < lasts_ms)[~self.finished].mean())


def outcome(scores: Floats, pause_ms: float, known_ms: float, pauses: list[Judged]) -> Outcome:
    """The pauses that end a turn, if the log odds at their beginning are `scores`."""
    settings = EndpointerSettings()
    missing = np.log(settings.turn_threshold / (1 - settings.turn_threshold)) - scores
    needed_ms = np.clip(pause_ms * missing, known_ms, LONGEST_PATIENCE * settings.min_silence_ms)
    return Outcome(
        needed_ms,
        np.array([each.pause.finished for each in pauses]),
        np.array([each.pause.lasts_ms for each in pauses]),
    )


def choose_pause(scores: Floats, known_ms: float, pauses: list[Judged]) -> int:
    """The best candidate: of those with which enough utterances are over soon, the one that cuts the
    fewest off; if there is none, the one with which the most are over soon."""

    def rank(pause_ms: int) -> tuple[bool, float]:
        result = outcome(scores, pause_ms, known_ms, pauses)
        enough = result.soon >= SOON_SHARE
        return enough, -result.cut_off(HESITATION_MS) if enough else result.soon

    return max(PAUSES_MS, key=rank)


def let_through(scores: Floats, finished: Bools, cuts: float) -> float:
    """Share of the whole utterances above the threshold that a share `cuts` of the others exceeds."""
    return float((scores[finished] > np.quantile(scores[~finished], 1 - cuts)).mean())


def main() -> str:
    """Fit the weights, write them unless told not to, and return the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    wanted = parser.parse_args()
    if not (SMART_TURN.there and SMOLLM2.there):
        return f"The models are missing; type: {FETCH}"
    pauses = judged(SmartTurnDetector(str(SMART_TURN.path)), SmolLM2SentenceJudge())
    finished = np.array([each.pause.finished for each in pauses])
    groups = [each.pause.group for each in pauses]
    scores = {
        signal: cross_fitted(signal.features(pauses), finished, groups, SEED) for signal in SIGNALS
    }
    pause_ms = choose_pause(scores[SIGNALS[-1]], SIGNALS[-1].known_ms, pauses)
    content: dict[str, object] = {"made_by": "python -m training.turn_end"}
    rows: list[list[object]] = []
    for signal in SIGNALS:
        bias, weights = fit(signal.features(pauses), finished)
        content[signal.key] = {"bias": round(bias, 4), "weights": [round(float(w), 4) for w in weights]}
        result = outcome(scores[signal], pause_ms, signal.known_ms, pauses)
        rows.append(
            [
                signal.name,
                f"{area_under_curve(scores[signal], finished):.2f}",
                *(f"{100 * let_through(scores[signal], finished, cuts):.0f}" for cuts in FALSE_CUTS),
                f"{result.wait_ms:.0f}",
                f"{100 * result.soon:.0f}",
                *(f"{100 * result.cut_off(shown):.0f}" for shown in PAUSES_SHOWN_MS),
            ]
        )
    content["pause_ms"] = pause_ms
    if not wanted.dry_run:
        WEIGHTS.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    header = [
        "judged by",
        "area under the curve",
        *(f"% let through at {100 * cuts:.0f} % cut" for cuts in FALSE_CUTS),
        "mean wait, ms",
        f"% over in {SOON_MS} ms",
        *(f"% cut off in {shown} ms" for shown in PAUSES_SHOWN_MS),
    ]
    title = (
        f"The end of a turn: {finished.sum()} whole utterances, {(~finished).sum()} unfinished, "
        f"{len(set(groups))} groups, cross-fitted; log odds + 1 in {pause_ms} ms"
    )
    return table(title, header, rows)


if __name__ == "__main__":
    print(main())
