"""Paragraph: what one side said, wrapped beside its label."""

from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

LABEL_WIDTH = len("you  ")

_NARROWEST = 8
"""Columns of text that are kept however narrow the terminal is."""


@dataclass
class Paragraph:
    """A text with its label, the part of it that was not heard, a mark at its end, and a dim figure at
    the right of its last line."""

    label: str
    text: str
    style: str = ""
    label_style: str = ""
    heard: int | None = None
    """Number of characters that were heard, if it was cut off there."""
    mark: str = ""
    figure: str = ""
    label_width: int = LABEL_WIDTH

    def lines(self, console: Console) -> list[Text]:
        """The paragraph, line by line."""
        width = max(_NARROWEST, console.width - self.label_width)
        wrapped = list(self._body().wrap(console, width)) or [Text()]
        lines = [self._labelled(number, line) for number, line in enumerate(wrapped)]
        if self.figure:
            self._add_figure(lines, console.width)
        return lines

    def _body(self) -> Text:
        heard = len(self.text) if self.heard is None else self.heard
        body = Text(self.text[:heard].rstrip() if self.mark else self.text[:heard], self.style)
        if self.heard is not None and self.text[heard:].strip():
            body.append(" ")
            body.append(self.text[heard:].strip(), "dim strike")
        if self.mark:
            body.append(f" {self.mark}", "dim yellow")
        return body

    def _labelled(self, number: int, line: Text) -> Text:
        label = self.label if number == 0 else ""
        line.rstrip()
        return Text.assemble((f"{label:<{self.label_width}}", self.label_style), line)

    def _add_figure(self, lines: list[Text], width: int) -> None:
        room = width - lines[-1].cell_len - len(self.figure)
        if room < 2:
            lines.append(Text())
            room = width - len(self.figure)
        lines[-1].append(" " * max(0, room) + self.figure, "dim")
