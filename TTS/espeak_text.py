"""Text for eSpeak: rewrites what it would misread."""

import re

_ELLIPSIS = re.compile(r"\s*(?:\.{2,}|…)\s*(?=\w)")
"""Dots in mid-sentence, which would join two words: "Wait... what?" ▶ "waitwhat"."""

_RAW = re.compile(r"\[{2,}|\]{2,}")
"""The brackets in which Piper accepts phonemes."""

_MIN_SHOUTED = 3
"""Words in capitals from which a text counts as shouted; fewer may be abbreviations, as in "THE USA"."""


def for_espeak(text: str) -> str:
    """The text with pauses for dots, and in lowercase if it is shouted."""
    text = _RAW.sub(" ", _ELLIPSIS.sub(", ", text.replace("\0", " ")))
    return text.lower() if text.isupper() and len(text.split()) >= _MIN_SHOUTED else text
