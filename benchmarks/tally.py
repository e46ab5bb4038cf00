"""Tally: the counts of all users who interrupt."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts kept on one thread."""

    ways: Counter[str] = field(default_factory=Counter)
    """Actions of the users when an answer was due, or had begun."""
    unheard: int = 0
    """Interruptions of an answer of which nothing had arrived yet."""
    awaited: int = 0
    """Turns of the user after which they waited for the answer."""
    silent_turns: int = 0
    """Turns after which nothing newer was heard for longer than a user waits."""
    frames: int = 0
    """Frames of audio."""
    old_frames: int = 0
    """Frames of a turn that was over, or older than one already heard."""
    errors: list[str] = field(default_factory=list)
    returned_ms: list[float] = field(default_factory=list)
    """Times from calling `interrupt()` in the middle of an answer to its return, the flush included."""
    told_ms: list[float] = field(default_factory=list)
    """Times from calling `interrupt()` to the flush at the client."""
