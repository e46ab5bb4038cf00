"""Batcher: items that wait while a batch is computed become the next one."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from pipeline.turn import CancelToken

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Waiting(Generic[Item, Result]):
    item: Item
    cancel: CancelToken
    over: threading.Event = field(default_factory=threading.Event)
    result: Result | None = None
    error: Exception | None = None


class Batcher(Generic[Item, Result]):
    """One thread that computes for callers on threads of their own.

    A batch is what waits when the last one is done, at most `most` items: a single item is computed
    alone and at once, and no item waits for a batch to fill. ``compute(items, cancels)`` gives a result
    for each item; it may stop working on an item whose token is cancelled, and give anything for it.
    """

    def __init__(
        self,
        name: str,
        compute: Callable[[Sequence[Item], Sequence[CancelToken]], Sequence[Result]],
        most: int,
    ) -> None:
        self._compute = compute
        self._most = most
        self._line: SimpleQueue[_Waiting[Item, Result] | None] = SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def submit(self, item: Item, cancel: CancelToken) -> Result | None:
        """The result for `item`; None, at once, when `cancel` is raised first.

        Raises what `compute` raises. A batch that fails is computed again item by item, so each caller
        gets an error of their own, or none.
        """
        waiting: _Waiting[Item, Result] = _Waiting(item, cancel)
        with cancel.on_cancel(waiting.over.set):
            self._line.put(waiting)
            waiting.over.wait()
        if cancel.cancelled:
            return None
        if waiting.error is not None:
            raise waiting.error
        return waiting.result

    def close(self) -> None:
        """End the thread. No item waits and none will come."""
        self._line.put(None)

    def _serve(self) -> None:
        while batch := self._next():
            self._answer(batch)
            del batch  # or an idle thread keeps the last audio in memory

    def _next(self) -> list[_Waiting[Item, Result]]:
        """The items that wait; if there are none, the next that comes. Empty: the batcher is closed."""
        batch: list[_Waiting[Item, Result]] = []
        while not batch:
            taken = [self._line.get()]
            try:
                while len(taken) < self._most:
                    taken.append(self._line.get_nowait())
            except Empty:
                pass
            if None in taken:
                return []
            batch = [waiting for waiting in taken if waiting and not waiting.cancel.cancelled]
        return batch

    def _answer(self, batch: Sequence[_Waiting[Item, Result]]) -> None:
        try:
            results = self._compute([w.item for w in batch], [w.cancel for w in batch])
            for waiting, result in zip(batch, results, strict=True):
                waiting.result = result
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:
                    self._answer([waiting])
                return
            batch[0].error = error
        for waiting in batch:
            waiting.over.set()
