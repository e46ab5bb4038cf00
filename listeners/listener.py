"""Listener: a thread that is told the events of one session."""

import logging
import threading
from collections.abc import Sequence

from pipeline.events import Event
from pipeline.session import Session
from utils.streams import abandon_stdout

logger = logging.getLogger(__name__)


class Listener:
    """Gets every event of a session, in order, on a thread of its own; ends with the session, or when
    what it writes to is closed."""

    def __init__(self, session: Session, *, live: Sequence[type] = ()) -> None:
        self._mail = session.events.subscribe(live=live)
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def on_event(self, event: Event) -> None:
        """Something happened."""
        raise NotImplementedError(f"{type(self).__name__} must define on_event()")

    @property
    def alive(self) -> bool:
        """Whether more may come."""
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until the last event was told."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (event := self._mail.fetch()) is not None:
                self.on_event(event)
        except OSError:
            abandon_stdout()
        if self._mail.overflowed:
            logger.warning("%s was cut off: it did not keep up with the events", type(self).__name__)
