"""Keys: what each does, and a real keyboard in a real terminal."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from listeners.keys import Keys
from listeners.line_editor import LineEditor
from pipeline.settings import SessionSettings
from tests.command import ROOT, run
from utils.keyboard import Key, keys_of

PROGRAM = """
import threading
from types import SimpleNamespace
from listeners.keys import Keys
from pipeline.settings import SessionSettings
from utils.keyboard import Keyboard

cancelled = threading.Event()
class Told:
    settings = SessionSettings(hands_free=False)
    def start_speech(self): print("start", flush=True)
    def commit_speech(self): print("commit", flush=True)
    def cancel_speech(self): print("cancel", flush=True); cancelled.set()

with Keyboard() as keyboard:
    keys = Keys(Told(), None)
    keyboard.read(keys.press, keys.resume)
    print("ready", flush=True)
    cancelled.wait(60)
print("over", flush=True)
"""


class Told:
    """Notes the calls that a session gets."""

    def __init__(self, *, hands_free: bool = True) -> None:
        self.settings = SessionSettings(hands_free=hands_free)
        self.muted = False
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.calls.append(name)


def press(told: Told, *keys: str) -> list[str]:
    controls = Keys(told, None)  # type: ignore[arg-type]
    for key in keys:
        controls.press(key)
    return told.calls


def read_until(terminal: int, text: str) -> str:
    shown = ""
    while text not in shown:
        shown += os.read(terminal, 1024).decode()
    return shown


@pytest.fixture
def program() -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """The keyboard of a terminal, and a program that reads it."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT)
    read_until(ours, "ready")
    assert not termios.tcgetattr(theirs)[3] & termios.ECHO, "keys are not shown"
    yield ours, process
    assert process.wait(60) is not None
    assert termios.tcgetattr(theirs) == before, "the terminal is as it was"
    os.close(ours)
    os.close(theirs)


def test_keys_in_a_terminal_begin_end_and_take_back(program: Any) -> None:
    keyboard, process = program
    os.write(keyboard, b" \r \x1b")
    shown = read_until(keyboard, "over")
    assert shown.split() == ["start", "commit", "start", "cancel", "over"]
    assert process.wait(60) == 0


def test_ctrl_z_gives_the_terminal_to_the_shell_until_fg(program: Any) -> None:
    keyboard, process = program
    os.write(keyboard, b" ")
    read_until(keyboard, "start")
    process.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert termios.tcgetattr(keyboard)[3] & termios.ECHO
    process.send_signal(signal.SIGCONT)
    read_until(keyboard, "cancel")
    assert process.wait(60) == 0


def test_after_fg_the_screen_is_drawn_again() -> None:
    drawn: list[bool] = []
    screen: Any = SimpleNamespace(redraw=lambda: drawn.append(True))
    Keys(Told(), screen).resume()  # type: ignore[arg-type]
    assert drawn == [True]


def test_push_to_talk() -> None:
    told = Told(hands_free=False)
    keys = ("a", Key.UP, " ", Key.ESCAPE, Key.ENTER, " ")
    assert press(told, *keys) == ["start_speech", "cancel_speech", "start_speech", "commit_speech"]
    assert press(told, Key.ESCAPE)[-1] == "interrupt", "while nothing is being said it stops the answer"


def test_hands_free_the_space_bar_mutes() -> None:
    told = Told()
    assert press(told, " ", Key.ENTER) == []
    assert told.muted
    press(told, " ")
    assert not told.muted


def test_keys_from_bytes() -> None:
    ours, theirs = pty.openpty()
    modes = termios.tcgetattr(theirs)
    modes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    os.write(ours, "aß\x7f\x1b[A\x1bOD\x1b[3~\x1b[1;5C\x1bx\r\x1b".encode())
    read = keys_of(theirs)
    assert [next(read) for _ in range(10)] == [
        "a", "ß", Key.BACKSPACE, Key.UP, Key.LEFT, Key.DELETE, Key.OTHER, Key.OTHER, Key.ENTER,
        Key.ESCAPE,
    ]  # fmt: skip
    os.close(ours)
    os.close(theirs)


def test_a_line_is_edited() -> None:
    line = LineEditor()
    for key in ("h", "l", Key.LEFT, "e", Key.END, "p", " ", "m", "e", "\x17", Key.BACKSPACE, "!"):
        line.press(key)
    assert line.text == "help!"
    assert line.shown(40, "…").plain == "help! "
    for key in (Key.HOME, Key.DELETE, Key.RIGHT, "\x0b", Key.UP, Key.TAB, Key.OTHER, "\x00"):
        line.press(key)
    assert line.text == "e"
    assert line.take() == "e"
    for key in "a much longer line":
        line.press(key)
    assert line.shown(10, "…").plain == "…ger line "
    for key in (Key.UP, Key.UP):
        line.press(key)
    assert line.text == "e"
    line.press(Key.DOWN)
    assert line.text == ""


def test_push_to_talk_without_a_terminal_says_so() -> None:
    done = run("--mode", "local", "--push_to_talk")
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
