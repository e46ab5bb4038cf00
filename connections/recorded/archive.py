"""Archive: the folder in which `--record` keeps sessions, each in its own folder."""

import datetime
import re
import sys
from pathlib import Path

from connections.recorded.session_recorder import SessionRecorder
from pipeline.errors import UserError
from pipeline.sink import Sink

LAST_WRITES_S = 5.0
"""Time that the disk may take at the end."""


class Archive:
    """Creates the folder; raises `UserError` if that fails. Other users of this machine cannot read the
    sessions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recorders: list[SessionRecorder] = []
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / ".writable").touch()
            (folder / ".writable").unlink()
        except OSError as error:
            raise UserError(f"--record: {folder} cannot be written to: {error.strerror}") from error
        print(f"  recording sessions in {folder}", file=sys.stderr)

    def keep(self, sink: Sink, label: str) -> SessionRecorder:
        """Create a recorder for a new session. It is the session's sink, in front of `sink`."""
        name = f"{datetime.datetime.now():%Y-%m-%d %H.%M.%S} {label}"
        path = self._folder / re.sub(r"[^\w-]+", "-", name)
        path.mkdir(mode=0o700)
        recorder = SessionRecorder(path, sink)
        self._recorders = [one for one in self._recorders if one.alive]
        self._recorders.append(recorder)
        return recorder

    def close(self) -> None:
        """Wait until everything is written."""
        for recorder in self._recorders:
            recorder.join(LAST_WRITES_S)
