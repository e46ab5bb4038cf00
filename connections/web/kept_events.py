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

    def after(self, received: int) -> list[EventText]:
        """The events after the first `received` of the session, as far as they are kept."""
        lost = self._sent - received
        return list(self._latest)[-lost:] if lost > 0 else []
