"""Notices: what the client is told of the connection to the server."""

from pipeline.errors import EngineError
from pipeline.events import AudioLost, ModelAway
from pipeline.session import Session
from S2S.realtime.replies import STAGE


class Notices:
    """Reports each trouble once. A lost connection is reported at once, except in a new session, to
    which nobody may be listening yet: there, with the first audio. Everything happens on the thread of
    the loop."""

    def __init__(self, session: Session) -> None:
        self.is_away = False
        """True from the loss of a connection until the next is open."""
        self._session = session
        self._is_new = True
        """True until a connection was open."""
        self._is_told_away = False
        self._untold: EngineError | None = None
        """The error of a lost connection that is still to be reported."""
        self._is_told_of_nonsense = False
        self._missed = 0
        """Samples that the server has missed."""

    def lost(self, error: EngineError | None) -> None:
        """The connection is lost. `error`: the reason, unless it was reported."""
        self.is_away = True
        self._untold = error or self._untold
        if not self._is_new:
            self.tell()

    def opened(self) -> None:
        """A connection is open."""
        self._is_new = self.is_away = self._is_told_of_nonsense = False
        self._untold = None
        self.tell()
        self.caught_up("the connection to the server was lost")

    def tell(self) -> None:
        """Report a lost connection, or the next one, unless it was reported."""
        if self._untold is not None:
            self._session.report(STAGE, self._untold)
            self._untold = None
        if self.is_away != self._is_told_away:
            self._is_told_away = self.is_away
            self._session.events.emit(ModelAway(self.is_away))

    def missed(self, samples: int) -> None:
        """Some audio was not sent."""
        self._missed += samples

    def caught_up(self, reason: str) -> None:
        """Audio is sent again. If some was missed, report how much, and the reason."""
        if self._missed:
            samples, self._missed = self._missed, 0
            self._session.events.emit(AudioLost(samples, reason))

    def nonsense(self, error: EngineError) -> None:
        """The server has broken the protocol; reported once for a connection."""
        if not self._is_told_of_nonsense:
            self._is_told_of_nonsense = True
            self._session.report(STAGE, error)
