"""Words: whether a text has any, and the parts of it that are spoken in one go."""

import textwrap
from collections.abc import Iterator


def has_words(text: str) -> bool:
    """Whether a text is more than punctuation, as recognizers write for noise and models between
    sentences."""
    return any(character.isalnum() for character in text)


def parts_to_speak(text: str, longest: int) -> Iterator[str]:
    """Parts of at most `longest` characters, cut between words; those without words are left out."""
    return filter(has_words, textwrap.wrap(text, longest))
