"""Words: tests a text for words, and splits it into parts to speak."""

import re
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


_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"{_HIGH}{_LOW}|(?P<half>{_HIGH}|{_LOW})|\\.", re.DOTALL)


def well_formed_json(text: str) -> str:
    r"""JSON with `NO_CHARACTER` in place of each escape that is half a character, as `\ud83d` is alone.
    Programs that cut a text between UTF-16 units, as JavaScript's `slice` does, write such escapes."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda escape: NO_CHARACTER if escape["half"] else escape[0], text)


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
        """The part of the text that is certain after this piece."""
        text = self._half + piece
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return well_formed(text[: len(text) - len(self._half)])

    def rest(self) -> str:
        """The end of the text: `NO_CHARACTER` if half a character is left."""
        half, self._half = self._half, ""
        return well_formed(half)
