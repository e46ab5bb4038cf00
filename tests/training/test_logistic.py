"""The logistic regression that fits the small judges."""

import numpy as np

from training.logistic import fit, threshold


def test_it_finds_the_weights_of_noisy_examples() -> None:
    chance = np.random.default_rng(0)
    values = np.column_stack((np.ones(4000), chance.normal(size=(4000, 2))))
    labels = chance.random(4000) < 1 / (1 + np.exp(-(values @ (0.0, 2.0, -1.0))))
    assert np.allclose(fit(values, labels, ridge=1e-6), (0.0, 2.0, -1.0), atol=0.2)


def test_the_rarer_class_counts_as_much() -> None:
    values = np.ones((100, 1))
    labels = np.arange(100) < 5
    assert abs(fit(values, labels)[0]) < 1e-6


def test_the_threshold_lets_a_share_through() -> None:
    chance = np.random.default_rng(0)
    scores, labels = chance.normal(3, 2, 4000), np.arange(4000) >= 2000
    least = threshold(scores, labels, 0.9)
    assert abs(np.mean(scores[labels] >= least) - 0.9) < 0.02
