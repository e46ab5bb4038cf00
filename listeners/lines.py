"""Lines: the conversation as plain text, line by line."""

import sys
from typing import TextIO

from listeners.listener import Listener
from listeners.narration import Narration
from pipeline.events import Event
from pipeline.session import Session


class Lines(Listener):
    """Prints to standard output; `label` tells the sessions of a server apart."""

    def __init__(
        self, session: Session, label: str = "", *, with_text: bool = True, out: TextIO = sys.stdout
    ) -> None:
        self._prefix = f"[{label}] " if label else ""
        self._narration = Narration(session.intake.rate_hz, with_text=with_text)
        self._out = out
        super().__init__(session)

    def on_event(self, event: Event) -> None:
        for line in self._narration.lines(event):
            print(self._prefix + line.text, file=self._out, flush=True)
