"""Logistic regression, fitted by Newton's method."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

STEPS = 30


def fit(features: Matrix, labels: NDArray[np.bool_], ridge: float = 1.0) -> Matrix:
    """The weights for `features` (examples, features), the first of which is the bias.

    Both classes count the same, however many examples they have. `ridge` keeps the weights small.
    """
    share = np.where(labels, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    weights = np.zeros(features.shape[1])
    penalty = np.full(features.shape[1], ridge)
    penalty[0] = 1e-6
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (share * (likely - labels)) + penalty * weights
        bend = (features * (share * likely * (1 - likely))[:, None]).T @ features + np.diag(penalty)
        weights -= np.linalg.solve(bend, slope)
    return weights


def threshold(scores: Matrix, labels: NDArray[np.bool_], kept: float) -> float:
    """The score that a share `kept` of the positive examples reach, if their scores are normally
    distributed: the quantile itself would hang on two or three examples."""
    positive = scores[labels]
    return NormalDist(float(positive.mean()), float(positive.std())).inv_cdf(1 - kept)
