"""Voices, by their names."""

import difflib
from collections.abc import Sequence

from pipeline.errors import EngineError

NAMED = 8
"""Voices that an error names; of more the ones that look like what was asked for."""

LONGEST_NAME = 100
"""Characters that are compared with the names there are; more would only take time."""


def unknown_voice(voices: Sequence[str], voice: str) -> EngineError:
    """What a synthesizer says that has these voices, and is asked for another."""
    named = list(voices)
    if len(named) > NAMED:
        named = difflib.get_close_matches(voice[:LONGEST_NAME], voices, NAMED, cutoff=0)
    others = len(voices) - len(named)
    listed = ", ".join(named) + (f" and {others} others" if others else "")
    expected = f"one of the voices {listed}" if named else "no voice to be chosen, there is but one"
    return EngineError(f"expected {expected}, got {voice!r:.100}", code="unknown_voice")
