"""Connection: what a way in and out looks like to the command."""

from typing import Protocol

from pipeline.clock import Clock
from pipeline.session import Session
from pipeline.sink import Sink


class OpenSession(Protocol):
    """Begins a conversation that is heard through `sink`; `label` names it where there are several."""

    def __call__(self, sink: Sink, label: str, clock: Clock | None = None) -> Session: ...


class Connection(Protocol):
    """Made before the engines are loaded, so that a busy port or a missing file is told at once."""

    def run(self, open_session: OpenSession) -> int:
        """Serve until the end, or until Ctrl-C. The exit code."""
        ...
