"""Words: tests a text for words, and splits it into parts to speak."""

import textwrap
from collections.abc import Iterator


def has_words(text: str) -> bool:
    """True if a text is more than punctuation.

    Recognizers write bare punctuation for noise, and models between sentences.
    """
    return any(character.isalnum() for character in text)


def parts_to_speak(text: str, longest: int) -> Iterator[str]:
    """Split between words into parts of at most `longest` characters, less those without words."""
    return filter(has_words, textwrap.wrap(text, longest))


NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"


def well_formed(text: str) -> str:
    """The text as valid Unicode: two surrogates that form a character are joined, others become
    `NO_CHARACTER`. A server that cuts its stream between bytes may send an emoji as two surrogates."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class WellFormedPieces:
    """`well_formed` for a text that comes in pieces: the first half of a character waits for the
    second."""

    def __init__(self) -> None:
        self._half = ""

    def add(self, piece: str) -> str:
        """The next piece of the text, as far as it is certain."""
        text = self._half + piece
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return well_formed(text[: len(text) - len(self._half)])

    def rest(self) -> str:
        """The end of the text: `NO_CHARACTER` if a half is left."""
        half, self._half = self._half, ""
        return well_formed(half)
