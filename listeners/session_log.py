"""SessionLog: a server's log entries for one session: figures and codes, never words."""

import logging
import time

from pipeline.events import LIVE, ErrorEvent, Event, SessionEnded, TurnDone

logger = logging.getLogger(__name__)


class SessionLog:
    """A mailbox for the events of one session: the server's `number`-th, with a client at `peer`."""

    unwanted: tuple[type, ...] = LIVE

    def __init__(self, number: int, peer: str) -> None:
        self._about = {"session": number, "peer": peer}
        self._began = time.monotonic()
        self._turns = 0
        logger.info("session begun", extra=self._about)

    def post(self, event: Event) -> None:
        """Log or count an event; may be called from any thread."""
        match event:
            case TurnDone(state=state):
                self._turns += state != "dropped"
            case ErrorEvent(stage=stage, code=code):
                logger.info("error", extra=self._about | {"stage": stage, "code": code})
            case SessionEnded(reason=reason):
                duration_s = round(time.monotonic() - self._began, 3)
                facts = {"reason": reason, "duration_s": duration_s, "turns": self._turns}
                logger.info("session ended", extra=self._about | facts)

    def close(self) -> None:
        """Nothing to do: `SessionEnded` was logged."""
