"""Mailbox: events of a session that wait for one listener."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.events import LIVE, Event, with_valid_text

CAPACITY = 1000
"""Events that may wait for a listener: minutes of conversation. A listener further behind is cut off."""


class Mailbox:
    """A bounded box of events for one listener.

    `on_mail` is called, in the thread that posts, when an empty box gets its first event; it must not
    wait. It can wake an event loop, so that the listener needs no thread.
    """

    def __init__(
        self,
        on_mail: Callable[[], None] | None = None,
        capacity: int = CAPACITY,
        *,
        live: Sequence[type] = LIVE,
    ) -> None:
        self._events: deque[Event] = deque()
        self._condition = threading.Condition()
        self._capacity = capacity
        self._on_mail = on_mail
        self.unwanted: tuple[type, ...] = tuple(kind for kind in LIVE if kind not in live)
        self.closed = False
        self.overflowed = False

    def post(self, event: Event) -> None:
        """Add an event; never waits. A full box is closed instead, since its listener is too slow."""
        with self._condition:
            if self.closed:
                return
            if isinstance(event, LIVE):
                self._discard_older(type(event))
            if len(self._events) >= self._capacity:
                self.overflowed = self.closed = True
                self._events.clear()
            else:
                self._events.append(event)
            first = len(self._events) <= 1
            self._condition.notify_all()
        if first and self._on_mail is not None:
            self._on_mail()

    def fetch(self, timeout_s: float | None = None) -> Event | None:
        """Return the next event; None when the box is closed and empty, or `timeout_s` has passed."""
        with self._condition:
            if timeout_s != 0:
                self._condition.wait_for(lambda: bool(self._events) or self.closed, timeout_s)
            return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Take no more events; those inside can still be fetched."""
        with self._condition:
            self.closed = True
            self._condition.notify_all()

    def _discard_older(self, kind: type) -> None:
        for index, waiting in enumerate(self._events):
            if isinstance(waiting, kind):
                del self._events[index]
                return


class Box(Protocol):
    """Anything that takes events."""

    unwanted: tuple[type, ...]
    """Kinds of live events that are not wanted here."""

    def post(self, event: Event) -> None:
        """Take an event; must not wait."""
        ...

    def close(self) -> None:
        """End the box: no more events will come."""
        ...


class Mailboxes:
    """The boxes of all listeners of one session."""

    def __init__(self) -> None:
        self._boxes: tuple[Box, ...] = ()
        self._lock = threading.Lock()

    def subscribe(
        self, on_mail: Callable[[], None] | None = None, *, live: Sequence[type] = ()
    ) -> Mailbox:
        """Add a box that gets every event from now on; of the `LIVE` ones only those in `live`."""
        box = Mailbox(on_mail, live=live)
        self.add(box)
        return box

    def add(self, box: Box) -> None:
        """Post to this box from now on."""
        with self._lock:
            self._boxes = (*self._boxes, box)

    def wanted(self, kind: type) -> bool:
        """True if a listener asked for this kind of live event."""
        return any(kind not in box.unwanted for box in self._boxes)

    def emit(self, event: Event) -> None:
        """Post to every box; never waits."""
        event = with_valid_text(event)
        for box in self._boxes:
            if not isinstance(event, box.unwanted):
                box.post(event)

    def close(self) -> None:
        """Close every box: no more events will come."""
        for box in self._boxes:
            box.close()
