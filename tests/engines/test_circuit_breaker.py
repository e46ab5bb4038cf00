"""When an engine that failed is asked again."""

from engines.circuit_breaker import FIRST_BREAK_S, CircuitBreaker


class Clock:
    """Goes on when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker_and_clock() -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    return CircuitBreaker(clock, lambda: 0.0), clock


def fail(breaker: CircuitBreaker) -> None:
    attempt = breaker.begin()
    assert attempt is not None
    assert attempt.failed("dead")


def test_each_failed_probe_doubles_the_break_up_to_the_longest() -> None:
    breaker, clock = breaker_and_clock()
    attempt = breaker.begin()
    assert attempt is not None
    assert attempt.failed("dead")
    breaks = []
    for _ in range(8):
        began = clock.now
        while breaker.begin(may_probe=False) is None and (probe := breaker.begin()) is None:
            clock.now += 0.5
        breaks.append(clock.now - began)
        assert probe is not None
        probe.failed("still dead")
    assert breaks == [2, 4, 8, 16, 32, 60, 60, 60]
    assert breaker.reason == "still dead"


def test_jitter_adds_up_to_a_third() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock, lambda: 1.0)
    fail(breaker)
    clock.now = FIRST_BREAK_S * 4 / 3 - 0.01
    assert breaker.begin() is None
    clock.now = FIRST_BREAK_S * 4 / 3
    assert breaker.begin() is not None


def test_one_probe_at_a_time() -> None:
    breaker, clock = breaker_and_clock()
    fail(breaker)
    clock.now = FIRST_BREAK_S
    probe = breaker.begin()
    assert probe is not None
    assert breaker.begin() is None
    probe.close()
    assert breaker.begin() is not None


def test_calls_that_fail_together_count_once() -> None:
    breaker, clock = breaker_and_clock()
    attempts = [breaker.begin() for _ in range(5)]
    told = [attempt.failed("dead") for attempt in attempts if attempt is not None]
    assert told == [True, False, False, False, False]
    clock.now = FIRST_BREAK_S
    assert breaker.begin() is not None


def test_one_that_works_after_all_closes_it() -> None:
    breaker, _ = breaker_and_clock()
    slow = breaker.begin()
    fail(breaker)
    assert slow is not None
    assert slow.worked()
    assert breaker.begin() is not None


def test_only_the_first_word_on_an_attempt_counts() -> None:
    breaker, _ = breaker_and_clock()
    attempt = breaker.begin()
    assert attempt is not None
    assert not attempt.worked()
    assert not attempt.failed("dead")
    assert breaker.reason is None
