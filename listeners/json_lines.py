"""JsonLines: every event as one line of JSON, for machines."""

import sys
import threading
from typing import TextIO

from listeners.listener import Listener
from pipeline.event_json import event_json
from pipeline.events import Event, PartialTranscript
from pipeline.session import Session

_one_line_at_a_time = threading.Lock()


class JsonLines(Listener):
    """Writes to standard output; `label` tells the sessions of a server apart."""

    def __init__(self, session: Session, label: str, out: TextIO = sys.stdout) -> None:
        self._label = label
        self._out = out
        super().__init__(session, live=(PartialTranscript,))

    def on_event(self, event: Event) -> None:
        line = event_json(event, ascii=True, session=self._label)  # ASCII suits every encoding
        with _one_line_at_a_time:
            print(line, file=self._out, flush=True)
