"""Outbox: messages that wait for the event loop to send them to a client."""

import asyncio
import math
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from connections.base import tell_loop

Item = TypeVar("Item")


def _nothing() -> None:
    """Do nothing."""


class Outbox(Generic[Item]):
    """A queue that any thread fills and the thread of the server empties. Neither of them waits.

    `limit` items make it full, which its owner has to respect: nothing is refused. `earlier` returns the
    items that belong in front of the next `put` or `take`; it is called under the lock. `on_items` is
    called on the server's thread when there is something to take; by default it ends `wait`.
    """

    def __init__(
        self,
        limit: float = math.inf,
        *,
        earlier: Callable[[], Iterable[Item]] = tuple,
        on_items: Callable[[], object] | None = None,
    ) -> None:
        self.on_room: Callable[[], object] = _nothing
        """Called after a full outbox has been emptied."""
        self._limit = limit
        self._earlier = earlier
        self._items: list[Item] = []
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._on_items = on_items or self._filled.set

    @property
    def is_full(self) -> bool:
        return len(self._items) >= self._limit

    def put(self, *items: Item) -> int:
        """Append items; returns how many are waiting now."""
        with self._lock:
            was_empty = not self._items
            self._items += (*self._earlier(), *items)
            waiting = len(self._items)
        if was_empty:
            self.wake()
        return waiting

    def discard(self, unwanted: Callable[[Item], bool]) -> None:
        """Drop the waiting items for which `unwanted` is true."""
        with self._lock:
            self._items = [item for item in self._items if not unwanted(item)]

    def wake(self) -> None:
        """Tell the server that there is something to take. Called from any thread."""
        tell_loop(self._loop, self._on_items)

    async def wait(self) -> None:
        """Wait for the next `wake`. The thread of the server calls this after it found nothing."""
        self._filled.clear()
        await self._filled.wait()

    def take(self) -> list[Item]:
        """Remove and return everything."""
        with self._lock:
            self._items += self._earlier()
            items, self._items = self._items, []
        if len(items) >= self._limit:
            self.on_room()
        return items
