"""Screen: a terminal's screen as it stands after what a program has written to it."""

import re

from rich.cells import cell_len

_PART = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n])")


class Screen:
    """Understands what `rich` writes for a live display; raises `AssertionError` for anything else.

    Wraps at its width, as terminals do. It has no height: what scrolls away can still be read.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[list[tuple[str, str]]] = [[]]
        self._row = self._column = 0
        self._style = ""

    def feed(self, written: str) -> None:
        """Take the next output."""
        position = 0
        while position < len(written):
            part = _PART.match(written, position)
            assert part is not None, f"unexpected control: {written[position : position + 20]!r}"
            position = part.end()
            arguments, command, begin, down, character = part.groups()
            if command:
                self._control(command, arguments)
            elif begin:
                self._column = 0
            elif down:
                self._down()
            else:
                self._put(character)

    def lines(self) -> list[str]:
        """The lines, without the spaces at their ends, and without empty ones below."""
        rows = ("".join(character for character, _ in row).rstrip() for row in self._rows)
        return "\n".join(rows).rstrip().split("\n")

    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines())

    def styled(self, code: str) -> str:
        """All that stands on the screen in a style: a number of ANSI's, such as "9" for struck text."""
        rows = ("".join(char for char, style in row if code in style.split(";")) for row in self._rows)
        return " ".join(row for row in rows if row)

    def _control(self, command: str, arguments: str) -> None:
        match command, arguments:
            case "m", "" | "0":
                self._style = ""
            case "m", _:
                self._style = f"{self._style};{arguments}"
            case "A", count:
                self._row -= int(count or 1)
                assert self._row >= 0, "the cursor left the screen at the top"
            case "K", "2":
                self._rows[self._row] = []
            case "h" | "l", "?25":  # the cursor is shown, or hidden
                pass
            case _:
                raise AssertionError(f"unexpected control: {arguments}{command}")

    def _down(self) -> None:
        self._row += 1
        self._column = 0
        if self._row == len(self._rows):
            self._rows.append([])

    def _put(self, character: str) -> None:
        if self._column + cell_len(character) > self._width:
            self._down()
        row = self._rows[self._row]
        row.extend([(" ", "")] * (self._column - len(row)))
        row[self._column : self._column + 1] = [(character, self._style)]
        self._column += 1
