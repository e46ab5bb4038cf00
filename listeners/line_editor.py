"""LineEditor: one line of text that the user types."""

from rich.text import Text

from utils.keyboard import Key


class LineEditor:
    """The line, its cursor, and the lines that were sent before."""

    def __init__(self) -> None:
        self.text = ""
        self._cursor = 0
        self._sent: list[str] = []
        self._recalled = 0
        """The number of lines back from the newest; 0: the one being typed."""

    def press(self, key: str) -> None:
        """Handle a key that edits; others do nothing."""
        before, after = self.text[: self._cursor], self.text[self._cursor :]
        match key:
            case Key.BACKSPACE:
                self._set(before[:-1], after)
            case Key.DELETE:
                self._set(before, after[1:])
            case Key.LEFT | Key.RIGHT:
                step = 1 if key == Key.RIGHT else -1
                self._cursor = min(len(self.text), max(0, self._cursor + step))
            case Key.HOME | "\x01":  # Ctrl-A
                self._cursor = 0
            case Key.END | "\x05":  # Ctrl-E
                self._cursor = len(self.text)
            case "\x15":  # Ctrl-U
                self._set("", after)
            case "\x0b":  # Ctrl-K
                self._set(before, "")
            case "\x17":  # Ctrl-W
                self._set(before.rstrip().rpartition(" ")[0] + " " * (" " in before.rstrip()), after)
            case Key.UP | Key.DOWN:
                self._recall(1 if key == Key.UP else -1)
            case _ if len(key) == 1 and key.isprintable():
                self._set(before + key, after)

    def take(self) -> str:
        """The finished line; the next one begins empty."""
        line = self.text.strip()
        if line:
            self._sent.append(line)
        self.clear()
        return line

    def clear(self) -> None:
        """Forget the line."""
        self._set("", "")
        self._recalled = 0

    def shown(self, width: int, more: str) -> Text:
        """The part of the line around the cursor that fits, with the cursor in reverse."""
        line = Text(f"{self.text} ")
        line.stylize("reverse", self._cursor, self._cursor + 1)
        start = 0
        while line[start : self._cursor + 1].cell_len > max(1, width - len(more)):
            start += 1
        if start:
            line = Text.assemble((more, "dim"), line[start:])
        line.truncate(width)
        return line

    def _set(self, before: str, after: str) -> None:
        self.text, self._cursor = before + after, len(before)

    def _recall(self, step: int) -> None:
        back = self._recalled + step
        if 0 <= back <= len(self._sent):
            self._recalled = back
            self._set(self._sent[-back] if back else "", "")
