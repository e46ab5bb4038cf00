"""KeptEvents: events sent to a client, kept in case its connection dropped before they arrived."""

from collections import deque
from collections.abc import Iterable

MAX_EVENTS = 500
"""Events that are kept. A dead connection goes unnoticed for up to 40 s, in which a lively conversation
has up to ten events a second."""


class EventText(str):
    """An event, encoded as a message."""

    __slots__ = ()


class KeptEvents:
    """The latest events of a session, in the order in which they were sent."""

    def __init__(self) -> None:
        self._latest: deque[EventText] = deque(maxlen=MAX_EVENTS)
        self._sent = 0

    def add(self, events: Iterable[EventText]) -> None:
        """Keep these, which are being sent."""
        for event in events:
            self._latest.append(event)
            self._sent += 1

    def after(self, received: int) -> tuple[int, list[EventText]]:
        """The events after the first `received` of the session, as far as they are kept, and the number
        of those before them."""
        lost = min(max(0, self._sent - received), len(self._latest))
        return self._sent - lost, list(self._latest)[len(self._latest) - lost :]
