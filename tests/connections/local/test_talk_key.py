"""Push to talk with real keys in a real terminal."""

import os
import pty
import subprocess
import sys
import termios
from typing import Any

from connections.local.talk_key import TalkKey
from tests.command import ROOT, run

PROGRAM = """
import threading
from connections.local.talk_key import TalkKey

cancelled = threading.Event()
class Told:
    def start_speech(self): print("start", flush=True)
    def commit_speech(self): print("commit", flush=True)
    def cancel_speech(self): print("cancel", flush=True); cancelled.set()

with TalkKey(Told()):
    print("ready", flush=True)
    cancelled.wait(30)
print("over", flush=True)
"""


class Told:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.calls.append(name)


def read_until(terminal: int, text: str) -> str:
    shown = ""
    while text not in shown:
        shown += os.read(terminal, 1024).decode()
    return shown


def test_keys_in_a_terminal_begin_end_and_take_back() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    environment = os.environ | {"TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment
    )
    read_until(ours, "ready")
    assert not termios.tcgetattr(theirs)[3] & termios.ECHO, "keys are not shown"
    os.write(ours, b" \r \x1b")
    shown = read_until(ours, "over")
    assert shown.split() == ["start", "commit", "start", "cancel", "over"]
    assert process.wait(10) == 0
    assert termios.tcgetattr(theirs) == before, "the terminal is as it was"
    os.close(ours)
    os.close(theirs)


def test_other_keys_do_nothing() -> None:
    told = Told()
    key = TalkKey(told)  # type: ignore[arg-type]
    for name in ("a", "KEY_UP", " ", "KEY_ESCAPE", "KEY_ENTER", " "):
        key.press(name)
    assert told.calls == ["start_speech", "cancel_speech", "start_speech", "commit_speech"]
    key.press("KEY_ESCAPE")
    assert told.calls[-1] == "interrupt", "while nothing is being said it stops the answer"


def test_without_a_terminal_it_says_so() -> None:
    done = run("--mode", "local", "--push_to_talk")
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
