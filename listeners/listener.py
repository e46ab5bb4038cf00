"""Listener: a thread that receives the events of one session."""

import logging
import threading
from collections.abc import Sequence

from pipeline.events import Event
from pipeline.session import Session
from utils.streams import abandon_stdout

logger = logging.getLogger(__name__)


class Listener:
    """Receives every event of a session, in order, on its own thread; ends with the session, or when its
    output is closed."""

    def __init__(self, session: Session, *, live: Sequence[type] = ()) -> None:
        self._mail = session.events.subscribe(live=live)
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def on_event(self, event: Event) -> None:
        """Handle one event."""
        raise NotImplementedError(f"{type(self).__name__} must define on_event()")

    @property
    def alive(self) -> bool:
        """True while more events may come."""
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until the last event has been handled."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (event := self._mail.fetch()) is not None:
                self.on_event(event)
        except OSError:
            abandon_stdout()
        if self._mail.overflowed:
            logger.warning("%s was cut off: it did not keep up with the events", type(self).__name__)
