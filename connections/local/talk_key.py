"""TalkKey: push to talk, in the terminal."""

import signal
import sys
import threading
from types import TracebackType

from pipeline.errors import UserError
from pipeline.session import Session

HELP = "press the space bar to speak, and again to get the reply; Escape cancels your words or the reply"


def expect_terminal() -> None:
    """Raise `UserError` without a terminal, which has no keys to press."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(
            "--push_to_talk needs a terminal with a keyboard; without this flag, you speak hands-free"
        )


class TalkKey:
    """Space or Enter begins the user's turn, and ends it: terminals do not report when a key is
    released.

    Within the block keys are read one by one and not echoed. The thread that waits for them cannot be
    woken, so it ends with the program.
    """

    def __init__(self, session: Session) -> None:
        from blessed import Terminal

        self._session = session
        self._terminal = Terminal()
        self._mode = self._terminal.cbreak()
        self._talking = False

    def __enter__(self) -> "TalkKey":
        self._mode.__enter__()
        if hasattr(signal, "SIGCONT"):
            signal.signal(signal.SIGCONT, self._on_continue)
        threading.Thread(target=self._read, name="keys", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if hasattr(signal, "SIGCONT"):
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
        self._mode.__exit__(kind, error, trace)

    def _on_continue(self, number: int, frame: object) -> None:
        """Take the terminal back from the shell after Ctrl-Z and fg; a turn begun before is void."""
        self._mode = self._terminal.cbreak()
        self._mode.__enter__()
        if self._talking:
            self.press("KEY_ESCAPE")

    def press(self, key: str) -> None:
        """Handle a key press. `key` is the key's name, or the character that it writes."""
        if key in (" ", "KEY_ENTER"):
            self._talking = not self._talking
            if self._talking:
                self._session.start_speech()
            else:
                self._session.commit_speech()
        elif key == "KEY_ESCAPE":
            if self._talking:
                self._session.cancel_speech()
            else:
                self._session.interrupt("the user pressed Escape")
            self._talking = False

    def _read(self) -> None:
        while True:
            stroke = self._terminal.inkey()
            self.press(stroke.name or str(stroke))
