"""Tally: what all who interrupt have counted together."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Kept on one thread."""

    ways: Counter[str] = field(default_factory=Counter)
    """What the users did when an answer was due, or had begun."""
    unheard: int = 0
    """Interruptions of an answer of which nothing had come yet."""
    awaited: int = 0
    """Turns of the user's after which they waited for the answer."""
    silent_turns: int = 0
    """Those after which nothing newer was heard for longer than anybody waits."""
    frames: int = 0
    """Of audio."""
    old_frames: int = 0
    """Those of a turn that was over, or older than one that was heard already."""
    errors: list[str] = field(default_factory=list)
    returned_ms: list[float] = field(default_factory=list)
    """From calling `interrupt()` in the middle of an answer to its return; the flush is in it."""
    told_ms: list[float] = field(default_factory=list)
    """From calling it to the flush at the client."""
