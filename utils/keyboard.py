"""Keyboard: single keys of the terminal, unechoed."""

import atexit
import codecs
import contextlib
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from types import FrameType
from typing import Any

ESCAPE_S = 0.05
"""Wait after the byte ESC: a terminal sends the rest of a key's sequence at once, a person does not."""

SHOW_CURSOR = b"\x1b[?25h"

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|.)", re.DOTALL)
"""The bytes of one key, or of a key together with Alt."""


class Key(StrEnum):
    """The keys that write no character."""

    ENTER = "enter"
    ESCAPE = "escape"
    BACKSPACE = "backspace"
    DELETE = "delete"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    HOME = "home"
    END = "end"
    TAB = "tab"
    OTHER = "other"


_CHARACTERS = {
    "\r": Key.ENTER, "\n": Key.ENTER, "\x7f": Key.BACKSPACE, "\b": Key.BACKSPACE, "\t": Key.TAB
}  # fmt: skip
_SEQUENCES = {
    "A": Key.UP, "B": Key.DOWN, "C": Key.RIGHT, "D": Key.LEFT, "H": Key.HOME, "F": Key.END,
    "1~": Key.HOME, "7~": Key.HOME, "4~": Key.END, "8~": Key.END, "3~": Key.DELETE,
}  # fmt: skip
_WINDOWS = {
    "H": Key.UP, "P": Key.DOWN, "M": Key.RIGHT, "K": Key.LEFT, "G": Key.HOME, "O": Key.END,
    "S": Key.DELETE,
}  # fmt: skip

_released: "list[Callable[[], None]]" = []


def has_keyboard() -> bool:
    """True if a person at a terminal can press keys for this program, and sees what they do."""
    return sys.stdin.isatty() and sys.stdout.isatty() and _in_foreground(sys.stdin.fileno())


def _in_foreground(terminal: int) -> bool:
    """False for a job in the background, which the system would stop if it changed the modes."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # the terminal controls no jobs
        return True


def release_keyboard() -> None:
    """Give the terminal back as it was, if its keys are being read. For a process that ends at once."""
    for release in _released:
        release()


class Keyboard:
    """The keys of the terminal, which are not echoed within the block; `read` begins to read them.

    Ctrl-C and Ctrl-Z remain signals. The terminal gets its modes back at the end of the block and while
    the process is stopped.
    """

    def __init__(self) -> None:
        self._on_continue: Callable[[], object] = lambda: None
        self._open = False
        self._modes: _Modes

    def __enter__(self) -> "Keyboard":
        if sys.platform == "win32":
            self._modes = _NoModes()
        else:
            self._modes = _TerminalModes(sys.stdin.fileno(), lambda: self._on_continue())
        self._open = True
        self._modes.take()
        _released.append(self._modes.release)
        atexit.register(self._modes.release)
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._modes.close()
        _released.remove(self._modes.release)
        atexit.unregister(self._modes.release)

    def read(self, on_key: Callable[[str], object], on_continue: Callable[[], object]) -> None:
        """Call `on_key` with each key from now on, on a thread of its own: the character that the key
        writes, or a `Key`. `on_continue` is called when the program goes on after Ctrl-Z and fg.

        The thread waits in a read that cannot be woken, so it ends with the program.
        """
        self._on_continue = on_continue
        self._modes.forget()
        threading.Thread(target=self._read, args=(on_key,), name="keys", daemon=True).start()

    def _read(self, on_key: Callable[[str], object]) -> None:
        keys = _windows_keys() if sys.platform == "win32" else keys_of(sys.stdin.fileno())
        with contextlib.suppress(OSError):  # the terminal is gone
            for key in keys:
                if not self._open:
                    return
                on_key(key)


def keys_of(terminal: int) -> Iterator[str]:
    """The keys pressed in a POSIX terminal."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = ""
    while data := os.read(terminal, 1024):
        text += decoder.decode(data)
        while text:
            if text[0] != "\x1b":
                yield _CHARACTERS.get(text[0], text[0])
                text = text[1:]
            elif (found := _SEQUENCE.match(text)) is not None and text not in ("\x1b[", "\x1bO"):
                yield _key_of(found[0])
                text = text[found.end() :]
            elif select.select([terminal], [], [], ESCAPE_S)[0]:
                break  # the rest of the sequence
            else:
                yield Key.ESCAPE
                text = ""


def _key_of(sequence: str) -> Key:
    if sequence == "\x1b\x1b":
        return Key.ESCAPE
    return _SEQUENCES.get(sequence[2:], Key.OTHER)


class _NoModes:
    """The modes of a Windows console, which `msvcrt` leaves alone."""

    def take(self) -> None:
        """Nothing to change."""

    def forget(self) -> None:
        """Nothing to drop: keys that were typed before are read."""

    def release(self) -> None:
        """Nothing to restore."""

    def close(self) -> None:
        """Nothing to restore."""


class _TerminalModes:
    """The modes of a POSIX terminal: keys come one by one and are not echoed."""

    def __init__(self, terminal: int, on_continue: Callable[[], object]) -> None:
        import termios

        self._on_continue = on_continue
        self._termios: Any = termios
        self._terminal = terminal
        self._before = termios.tcgetattr(terminal)
        self._taken = False

    def take(self) -> None:
        """Change the modes."""
        termios = self._termios
        modes = termios.tcgetattr(self._terminal)
        modes[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._terminal, termios.TCSADRAIN, modes)
        self._taken = True
        signal.signal(signal.SIGTSTP, self._stop)
        signal.signal(signal.SIGCONT, self._go_on)

    def forget(self) -> None:
        """Drop what was typed before."""
        self._termios.tcflush(self._terminal, self._termios.TCIFLUSH)

    def release(self) -> None:
        """Restore the modes."""
        if self._taken:
            self._taken = False
            with contextlib.suppress(self._termios.error, OSError):  # the terminal is gone
                self._termios.tcsetattr(self._terminal, self._termios.TCSADRAIN, self._before)

    def close(self) -> None:
        """Restore the modes for good."""
        self.release()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.signal(signal.SIGCONT, signal.SIG_DFL)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets a terminal as it knows it."""
        self.release()
        os.write(self._terminal, SHOW_CURSOR + b"\r\n")
        os.kill(os.getpid(), signal.SIGSTOP)

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        """Take the terminal back from the shell, unless this program goes on in the background."""
        if _in_foreground(self._terminal):
            self.take()
            self._on_continue()


_Modes = _NoModes | _TerminalModes


def _windows_keys() -> Iterator[str]:
    """The keys pressed in a Windows console."""
    import msvcrt

    read: Callable[[], str] = msvcrt.getwch  # type: ignore[attr-defined,unused-ignore]
    while True:
        character = read()
        if character in "\x00\xe0":
            yield _WINDOWS.get(read(), Key.OTHER)
        elif character == "\x03":
            signal.raise_signal(signal.SIGINT)
        else:
            yield Key.ESCAPE if character == "\x1b" else _CHARACTERS.get(character, character)
