"""Batcher: callers that wait while a batch is computed go into the next one."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from pipeline.turn import CancelToken
from testing.hold import Hold
from tests.socket_clients import wait_for
from utils.batcher import Batcher


class Twelfths:
    """Divides twelve by each item, behind a hold."""

    def __init__(self) -> None:
        self.hold = Hold(deaf=True)
        self.batches: list[list[int]] = []
        self.threads: set[str] = set()

    def compute(self, items: Sequence[int], cancels: Sequence[CancelToken]) -> list[float]:
        self.batches.append(list(items))
        self.threads.add(threading.current_thread().name)
        self.hold.pass_through(CancelToken())
        return [12 / item for item in items]


class Caller(threading.Thread):
    """Submits one item and keeps the outcome."""

    def __init__(self, batcher: Batcher[int, float], item: int) -> None:
        super().__init__(daemon=True)
        self.cancel = CancelToken()
        self.outcome: object = "nothing yet"
        self._submit: Callable[[], float | None] = lambda: batcher.submit(item, self.cancel)
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._submit()
        except ArithmeticError as error:
            self.outcome = error


class Queue:
    """A batcher of up to three items that computes a first one, and the callers behind it."""

    def __init__(self) -> None:
        self.work = Twelfths()
        self.batcher: Batcher[int, float] = Batcher("batches", self.work.compute, 3)
        self.work.hold.close()
        self.callers = [Caller(self.batcher, 1)]
        self.work.hold.wait_until_reached()

    def join(self, *items: int) -> None:
        for item in items:
            waiting = self.batcher._line.qsize()
            self.callers.append(Caller(self.batcher, item))
            wait_for(lambda behind=waiting: self.batcher._line.qsize() > behind, "somebody in line")

    def outcomes(self) -> list[object]:
        self.work.hold.open()
        for caller in self.callers:
            caller.join(60)
            assert not caller.is_alive()
        return [caller.outcome for caller in self.callers]


@pytest.fixture
def queue() -> Iterator[Queue]:
    queue = Queue()
    yield queue
    queue.work.hold.open()
    queue.batcher.close()


def test_who_comes_alone_is_served_alone(queue: Queue) -> None:
    assert queue.outcomes() == [12]
    assert queue.batcher.submit(2, CancelToken()) == 6
    assert queue.work.batches == [[1], [2]]


def test_who_waits_is_in_the_next_batch(queue: Queue) -> None:
    queue.join(2, 3, 4, 6)
    assert queue.outcomes() == [12, 6, 4, 3, 2]
    assert queue.work.batches == [[1], [2, 3, 4], [6]]
    assert queue.work.threads == {"batches"}


def test_who_is_cancelled_leaves_the_line_at_once(queue: Queue) -> None:
    queue.join(2, 3)
    queue.callers[1].cancel.cancel()
    queue.callers[1].join(60)
    assert queue.callers[1].outcome is None
    assert queue.outcomes() == [12, None, 4]
    assert queue.work.batches == [[1], [3]]


def test_who_is_cancelled_in_a_batch_does_not_wait_for_it(queue: Queue) -> None:
    queue.callers[0].cancel.cancel()
    queue.callers[0].join(60)
    assert queue.callers[0].outcome is None
    queue.join(2)
    assert queue.outcomes() == [None, 6]


def test_a_call_that_was_cancelled_before_is_not_computed(queue: Queue) -> None:
    cancel = CancelToken()
    cancel.cancel()
    assert queue.batcher.submit(2, cancel) is None
    queue.join(3)
    assert queue.outcomes() == [12, 4]
    assert queue.work.batches == [[1], [3]]


def test_an_error_is_that_of_one_caller(queue: Queue) -> None:
    queue.join(2, 0, 3)
    first, second, failed, last = queue.outcomes()
    assert (first, second, last) == (12, 6, 4)
    assert isinstance(failed, ZeroDivisionError)
    assert queue.work.batches == [[1], [2, 0, 3], [2], [0], [3]]
    assert queue.batcher.submit(4, CancelToken()) == 3


def test_closed_its_thread_ends() -> None:
    work = Twelfths()
    before = set(threading.enumerate())
    batcher: Batcher[int, float] = Batcher("batches", work.compute, 3)
    [thread] = set(threading.enumerate()) - before
    batcher.close()
    thread.join(60)
    assert not thread.is_alive()
