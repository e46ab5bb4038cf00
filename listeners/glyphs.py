"""Glyphs: the signs of the live screen, for terminals with and without Unicode."""

import math
from dataclasses import dataclass, replace

from rich.console import Console

from listeners.display_state import State
from listeners.printable import encodable, printable

_FULL_RMS = 0.25
"""RMS of loud speech close to the microphone."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs that a terminal can show."""

    symbols: dict[State, str]
    bar: str
    """Fillings of a cell, from an empty one to a full one."""
    ends: tuple[str, str]
    cut: str
    dot: str
    more: str
    encoding: str = "utf-8"

    def printable(self, text: str) -> str:
        """The text as this terminal can show it, on one line."""
        return printable(text) if self.encoding == "utf-8" else encodable(text, self.encoding)

    def fill(self, share: float, cells: int) -> str:
        """A bar of this many cells between its ends, filled by a share from 0 to 1."""
        steps = len(self.bar) - 1
        filled = round(min(1.0, max(0.0, share)) * cells * steps)
        whole, part = divmod(filled, steps)
        body = self.bar[-1] * whole + (self.bar[part] if part else "")
        return f"{self.ends[0]}{body:{self.bar[0]}<{cells}}{self.ends[1]}"

    def meter(self, rms: float, cells: int) -> str:
        """A bar for the loudness of a sound; its root is shown, since the ear hears ratios."""
        return self.fill(math.sqrt(rms / _FULL_RMS), cells)


_UNICODE = Glyphs(
    {
        "off": "○", "connecting": "◌", "offline": "✕", "hearing": "●", "waiting": "◌", "speaking": "▶",
        "thinking": "◐", "muted": "⊘", "ready": "○", "listening": "●",
    },
    " ▏▎▍▌▋▊▉█",
    ("▕", "▏"),
    "—",
    "·",
    "…",
)  # fmt: skip
_ASCII = Glyphs(
    {
        "off": "o", "connecting": ".", "offline": "x", "hearing": "*", "waiting": ".", "speaking": ">",
        "thinking": "?", "muted": "x", "ready": "o", "listening": "*",
    },
    " #",
    ("[", "]"),
    "--",
    "-",
    "...",
    "ascii",
)  # fmt: skip


def glyphs_for(console: Console) -> Glyphs:
    """The signs for this terminal: ASCII unless it shows UTF-8."""
    return replace(_ASCII, encoding=console.encoding) if console.options.ascii_only else _UNICODE
