"""TurnEndScore: the probability that the user has finished, from the judgments of two models."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).with_name("turn_end.json")
"""Written by `python -m training.turn_end`, which also prints how good they are."""

CERTAIN = 1e-3
"""Probabilities of a model closer than this to 0 or 1 count as this far from them: no model is so sure
with reason."""


def logit(probability: float) -> float:
    """Log odds of a probability, which is first limited to `CERTAIN`."""
    bounded = min(max(probability, CERTAIN), 1 - CERTAIN)
    return math.log(bounded / (1 - bounded))


@dataclass(frozen=True, slots=True)
class Fusion:
    """A logistic regression: weights for the log odds of each judgment, and a bias."""

    bias: float
    weights: Sequence[float]

    def log_odds(self, judgments: Sequence[float]) -> float:
        """Log odds that the user has finished, when the pause begins."""
        products = (w * logit(judgment) for w, judgment in zip(self.weights, judgments, strict=True))
        return self.bias + sum(products)


@dataclass(frozen=True, slots=True)
class TurnEndScore:
    """Log odds that the user has finished. They grow with the pause, since the pauses within sentences
    become rarer with their length: by one in `pause_ms`, where the pause that ends a turn is 500 ms.

    `fusions` has one `Fusion` for each set of judgments that may be known: by ear, by words, both.
    """

    fusions: dict[tuple[bool, bool], Fusion]
    pause_ms: float

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "TurnEndScore":
        """The fitted weights."""
        return cls.of(json.loads(path.read_text("utf-8")))

    @classmethod
    def of(cls, content: dict[str, Any]) -> "TurnEndScore":
        """The weights in the content of such a file."""
        names = {"by_ear": (True, False), "by_words": (False, True), "both": (True, True)}
        fusions = {known: Fusion(**content[name]) for name, known in names.items()}
        return cls(fusions, content["pause_ms"])

    def pause_needed(self, by_ear: float | None, by_words: float | None, threshold: float) -> float:
        """Length of the pause, in such milliseconds, after which the probability that the user has
        finished reaches `threshold`; it may be negative. At least one of the judgments is known."""
        judgments = [judgment for judgment in (by_ear, by_words) if judgment is not None]
        fusion = self.fusions[by_ear is not None, by_words is not None]
        missing = math.log(threshold / (1 - threshold)) - fusion.log_odds(judgments)
        return self.pause_ms * missing
