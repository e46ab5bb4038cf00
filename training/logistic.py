"""Logistic regression for a handful of weights, and the ways to judge its scores."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RIDGE = 1e-2
"""Penalty on the squares of standardized weights. It keeps them finite if the classes are separable."""

STEPS = 50
FOLDS = 5


def fit(features: Floats, labels: Bools) -> tuple[float, Floats]:
    """Bias and weights, by Newton's method. `features` has a row for each example; both classes count
    alike, whatever their sizes."""
    mean, scale = features.mean(0), features.std(0) + 1e-9
    design = np.column_stack((np.ones(len(features)), (features - mean) / scale))
    share = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    ridge = RIDGE * np.diag([0.0, *np.ones(features.shape[1])])
    solution = np.zeros(design.shape[1])
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-design @ solution))
        gradient = design.T @ (share * (probability - labels)) + ridge @ solution
        curvature = (design * (share * probability * (1 - probability))[:, None]).T @ design + ridge
        solution -= np.linalg.solve(curvature, gradient)
    weights = solution[1:] / scale
    return float(solution[0] - weights @ mean), weights


def cross_fitted(features: Floats, labels: Bools, groups: Sequence[str], seed: int) -> Floats:
    """Log odds of each example, by weights that were fitted without its group."""
    names = sorted(set(groups))
    np.random.default_rng(seed).shuffle(names)
    fold = np.array([names.index(group) % FOLDS for group in groups])
    scores = np.empty(len(labels))
    for number in range(FOLDS):
        out = fold == number
        bias, weights = fit(features[~out], labels[~out])
        scores[out] = bias + features[out] @ weights
    return scores


def area_under_curve(scores: Floats, labels: Bools) -> float:
    """Probability that a positive example has a higher score than a negative one."""
    positive, negative = scores[labels][:, None], scores[~labels][None]
    return float(np.mean((positive > negative) + 0.5 * (positive == negative)))


def threshold(scores: Floats, labels: Bools, kept: float) -> float:
    """Score that a share `kept` of the positive examples reach, if their scores are normally
    distributed: the quantile itself would hang on two or three examples."""
    positive = scores[labels]
    return NormalDist(float(positive.mean()), float(positive.std())).inv_cdf(1 - kept)
