"""Lag: the share of the time in which work comes late."""

import math

import pytest

from pipeline.lag import FADES_S, LATE_S, Lag


def test_at_first_nothing_is_late() -> None:
    lag = Lag(10.0)
    assert lag.share(10.0) == lag.share(20.0) == 0.0
    lag.note(1.0, 10.0)
    assert lag.share(10.0) == 0.0, "one late item at the start says nothing of the time before"


def test_it_is_the_share_of_the_time() -> None:
    lag = Lag(0.0)
    for number in range(1, 2001):
        lag.note(LATE_S * (1.1 if number % 4 == 0 else 0.9), 0.02 * number)
    assert lag.share(40.0) == pytest.approx(0.25, rel=0.05)


def test_what_came_in_one_burst_is_one_moment() -> None:
    lag = Lag(0.0)
    for number in range(50):
        lag.note(0.0, 0.02 * number)
    for number in range(500):
        lag.note(5.0, 1.0 + 1e-6 * number)
    assert lag.share(1.0) < 0.02


def test_it_fades_while_nothing_comes() -> None:
    lag = Lag(0.0)
    lag.note(1.0, 100.0)
    assert lag.share(100.0) == pytest.approx(1.0)
    assert lag.share(100.0 + FADES_S) == pytest.approx(math.exp(-1))
