"""Text for the user on standard error."""

import io
import sys

import pytest

from utils.streams import tell

ERROR = "this machine has no microphone; connect one, or talk on a web page: s2s serve --host 0.0.0.0"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, text: str, mark: str) -> list[str]:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "40")
    tell(text, mark)
    return stream.getvalue().splitlines()


def test_lines_on_a_terminal_end_between_words_beside_the_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, Terminal(), f"{ERROR}\nor type", "s2s: ") == [
        "s2s: this machine has no microphone;",
        "     connect one, or talk on a web page:",
        "     s2s serve --host 0.0.0.0",
        "     or type",
    ]


def test_in_a_file_a_line_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, io.StringIO(), ERROR, "s2s: ") == [f"s2s: {ERROR}"]
