"""Thresholds of the small judges."""

import numpy as np

from training.logistic import threshold


def test_the_threshold_lets_a_share_through() -> None:
    chance = np.random.default_rng(0)
    scores, labels = chance.normal(3, 2, 4000), np.arange(4000) >= 2000
    least = threshold(scores, labels, 0.9)
    assert abs(np.mean(scores[labels] >= least) - 0.9) < 0.02
