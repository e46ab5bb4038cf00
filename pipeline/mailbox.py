"""Mailbox: where one listener fetches the events of a session, at its own pace."""

import threading
from collections import deque
from collections.abc import Callable

from pipeline.events import COALESCED, Event, InputLevel

CAPACITY = 1000
"""Events that may wait for a listener: minutes of conversation. Who lags further is cut off."""


class Mailbox:
    """A bounded box of events for one listener.

    `on_mail` is called, in the thread that posts, when an empty box gets its first event; it must not
    wait. It lets an event loop be woken without a thread of its own.
    """

    def __init__(
        self,
        on_mail: Callable[[], None] | None = None,
        capacity: int = CAPACITY,
        *,
        with_level: bool = True,
    ) -> None:
        self._events: deque[Event] = deque()
        self._condition = threading.Condition()
        self._capacity = capacity
        self._on_mail = on_mail
        self._with_level = with_level
        self.closed = False
        self.overflowed = False

    def post(self, event: Event) -> None:
        """Add an event; never waits. A box that is full is closed instead: its listener lagged."""
        with self._condition:
            if self.closed or (isinstance(event, InputLevel) and not self._with_level):
                return
            if isinstance(event, COALESCED):
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
        """The next event; None when the box was closed and is empty, or `timeout_s` has passed."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._events) or self.closed, timeout_s)
            return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Take no more; what is inside can still be fetched."""
        with self._condition:
            self.closed = True
            self._condition.notify_all()

    def _discard_older(self, kind: type) -> None:
        for index, waiting in enumerate(self._events):
            if isinstance(waiting, kind):
                del self._events[index]
                return


class Mailboxes:
    """All listeners of one session."""

    def __init__(self) -> None:
        self.shows_level = False
        """Whether somebody shows the level of the microphone; ten times a second, so only on request."""
        self._boxes: tuple[Mailbox, ...] = ()
        self._lock = threading.Lock()

    def subscribe(
        self, on_mail: Callable[[], None] | None = None, *, with_level: bool = False
    ) -> Mailbox:
        """A new box that gets every event from now on, `InputLevel` only if `with_level`."""
        box = Mailbox(on_mail, with_level=with_level)
        with self._lock:
            self._boxes = (*self._boxes, box)
            self.shows_level |= with_level
        return box

    def emit(self, event: Event) -> None:
        """Post to every box; never waits."""
        for box in self._boxes:
            box.post(event)

    def close(self) -> None:
        """No more events will come."""
        for box in self._boxes:
            box.close()
