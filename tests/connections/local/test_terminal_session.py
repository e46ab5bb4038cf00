"""A whole local session in a real terminal, on a virtual sound card: panel, keys, typed turn, end."""

import os
import pty
import re
import subprocess
import termios
from collections.abc import Iterator

import pytest

from testing.screen import Screen
from testing.sound_card import SoundCard, missing_programs
from tests.command import command

COLUMNS = 100


@pytest.fixture
def card() -> Iterator[SoundCard]:
    if missing := missing_programs():
        pytest.skip(f"no virtual sound card without {', '.join(missing)} (apt install pulseaudio-utils)")
    card = SoundCard()
    yield card
    card.close()


class TerminalProgram:
    """The program in a terminal of its own."""

    def __init__(self, card: SoundCard, *argv: str) -> None:
        self._ours, theirs = pty.openpty()
        self._theirs = theirs
        self.modes = termios.tcgetattr(theirs)
        environment = card.environment | {
            "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": "40", "PYTHONUTF8": "1",
        }  # fmt: skip
        self.process = subprocess.Popen(
            command("--mode", "local", "--llm", "eliza", *argv),
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        self._written = b""

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, text: str) -> str:
        """What the screen shows once `text` is on it."""
        while text not in (shown := self.screen().text()):
            self._written += os.read(self._ours, 4096)
        return shown

    def screen(self) -> Screen:
        screen = Screen(COLUMNS)
        written = self._written.decode(errors="ignore")
        screen.feed(re.sub(r"\x1b[^A-Za-z]*$", "", written))  # the last sequence may be incomplete
        return screen

    def end(self) -> int:
        code = self.process.wait(60)
        assert termios.tcgetattr(self._theirs) == self.modes, "the terminal is as it was"
        os.close(self._ours)
        os.close(self._theirs)
        return code


def test_a_session_in_a_terminal(card: SoundCard) -> None:
    program = TerminalProgram(card, "--headphones")
    try:
        panel = program.until("Ctrl-C end")
        rows = r"  Ears   .*\n  Mind   .*\n  Voice  .*\n  Mic    .*\n  Private: .*\n  Talk now\. "
        assert re.search(rows, panel)
        assert "Mic    default microphone ▸ default loudspeaker (headphones)" in panel
        program.until("Listening")
        program.type("tHello there.\r")
        shown = program.until("s2s  I am Eliza")
        assert "\nyou  Hello there.\n" in shown
        program.until("Speaking")
        program.type(" \x1b")
        assert "— stopped" in program.until("Muted")
        program.type("q")
        assert "Ended after 1 turn, " in program.until("Ended after")
        assert program.end() == 130
    finally:
        program.process.kill()
