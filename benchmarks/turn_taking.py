"""Whole and unfinished human utterances: how soon a turn ends, and how often too soon.

The judgments are those of the program's own models, combined with its weights (VAD/turn_end.json). For
each mean wait after whole utterances, the table gives the share of the unfinished ones that are cut off,
with the best threshold, growth and longest pause for that wait; so the signals are compared, whatever
their settings. A pause that was made for the benchmark has no length of its own; it counts once for each
of several lengths. The weights were fitted to the recordings of the default folder
(`python -m training.turn_end` prints cross-fitted figures); others are given with S2S_SPEECH.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.figures import table
from benchmarks.pauses import SOON_MS, WORDS_MS, Judged, judged
from catalog.weights import FETCH, SMART_TURN, SMOLLM2
from LLM.sentence_end import SmolLM2SentenceJudge
from pipeline.settings import EndpointerSettings
from VAD.endpointer import PHRASE_PAUSE_MS
from VAD.smart_turn import SmartTurnDetector
from VAD.turn_end_policy import LONGEST_PATIENCE
from VAD.turn_end_score import TurnEndScore

HESITATIONS_MS = (300, 500, 700, 900)
"""Lengths of a pause in the middle of a sentence, after which the speaker goes on."""

WAITS_MS = (200, 250, 300, 400, 500)
SILENCES_MS = range(160, 1001, 20)
THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
GROWTHS_MS = (100, 200, 300, 500, 800)
LONGEST_MS = (500, 700, 1000, 1500)

EAR, WORDS, BOTH = (True, False), (False, True), (True, True)
NAMES = {EAR: "the sound (Smart Turn)", WORDS: "the words (SmolLM2)", BOTH: "both"}

Policy = Callable[[Judged], float]


@dataclass(frozen=True)
class Point:
    """The outcome of one policy."""

    wait_ms: float
    """Mean pause after a whole utterance."""
    soon: float
    """Share of the whole utterances that are over within `SOON_MS`."""
    cut_off: float
    """Share of the unfinished ones that are cut off, over all lengths of the pause."""
    cut_off_at_500: float
    """The same, in a pause of 500 ms or in their own."""


def point(policy: Policy, pauses: Sequence[Judged]) -> Point:
    """Judge a policy by all pauses."""
    whole = np.array([policy(each) for each in pauses if each.pause.finished])
    others = [(policy(each), each.pause.lasts_ms) for each in pauses if not each.pause.finished]

    def cut_off(pause_ms: float) -> float:
        return float(np.mean([ms < (pause_ms if math.isinf(own) else own) for ms, own in others]))

    shares = [cut_off(ms) for ms in HESITATIONS_MS]
    return Point(
        float(whole.mean()), float((whole <= SOON_MS).mean()), float(np.mean(shares)), cut_off(500)
    )


def policies(known: tuple[bool, bool], score: TurnEndScore) -> Iterator[Policy]:
    """Every setting with these judgments: threshold × growth × longest pause."""
    for threshold, growth_ms, longest_ms in itertools.product(THRESHOLDS, GROWTHS_MS, LONGEST_MS):
        yield judging(known, replace(score, pause_ms=growth_ms), threshold, longest_ms)


def judging(
    known: tuple[bool, bool], score: TurnEndScore, threshold: float, longest_ms: float
) -> Policy:
    """The program's policy with these judgments and settings."""
    shortest_ms = WORDS_MS if known[1] else PHRASE_PAUSE_MS

    def pause_needed(each: Judged) -> float:
        by_ear, by_words = each.by_ear if known[0] else None, each.by_words if known[1] else None
        needed_ms = score.pause_needed(by_ear, by_words, threshold)
        return min(max(needed_ms, shortest_ms), longest_ms)

    return pause_needed


def silence(ms: float) -> Policy:
    """A pause of this length, whatever was said."""
    return lambda each: ms


def fewest(points: Sequence[Point], wait_ms: float) -> str:
    """The smallest share cut off by a policy that waits no longer than this, in percent."""
    shares = [100 * each.cut_off for each in points if each.wait_ms <= wait_ms]
    return f"{min(shares):.0f}" if shares else "–"


def main() -> str:
    """Run the benchmark and return its tables."""
    if not (SMART_TURN.there and SMOLLM2.there):
        return f"Turn-taking: the models are missing; type: {FETCH}"
    pauses = judged(SmartTurnDetector(str(SMART_TURN.path)), SmolLM2SentenceJudge())
    score, settings = TurnEndScore.load(), EndpointerSettings()
    sweeps = {"silence": [point(silence(ms), pauses) for ms in SILENCES_MS]}
    for known, name in NAMES.items():
        sweeps[name] = [point(policy, pauses) for policy in policies(known, score)]
    swept = [[name, *(fewest(found, ms) for ms in WAITS_MS)] for name, found in sweeps.items()]
    longest_ms = LONGEST_PATIENCE * settings.min_silence_ms
    used = {f"silence of {settings.min_silence_ms:.0f} ms": silence(settings.min_silence_ms)}
    for known, name in NAMES.items():
        used[name] = judging(known, score, settings.turn_threshold, longest_ms)
    rows = []
    for name, policy in used.items():
        found = point(policy, pauses)
        shares = (found.soon, found.cut_off_at_500, found.cut_off)
        rows.append([name, f"{found.wait_ms:.0f}", *(f"{100 * share:.0f}" for share in shares)])
    whole = sum(each.pause.finished for each in pauses)
    title = f"Turn-taking, {whole} whole and {len(pauses) - whole} unfinished human utterances"
    lengths = ", ".join(map(str, HESITATIONS_MS))
    waits = [f"% cut off at a mean wait of {ms} ms" for ms in WAITS_MS]
    header = ["a turn ends by", "mean wait, ms", f"% over in {SOON_MS} ms"]
    header += ["% cut off in 500 ms", f"% cut off in {lengths} ms"]
    tables = table(title, ["a turn ends by", *waits], swept), table("As the program runs", header, rows)
    return "\n".join(tables)


if __name__ == "__main__":
    print(main())
