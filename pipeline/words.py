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


_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_BEGUN = r"\\(?:u[0-9a-fA-F]{0,3})?"
_ESCAPE = re.compile(
    rf"(?P<open>{_BEGUN}\Z|{_HIGH}(?:{_BEGUN})?\Z)|{_HIGH}{_LOW}|(?P<half>{_HIGH}|{_LOW})|\\.", re.DOTALL
)
"""Escapes in JSON: one that may go on, a character as two surrogates, half a character, any other."""


def well_formed_json(text: str) -> str:
    r"""JSON with `NO_CHARACTER` in place of each escape that is half a character, as `\ud83d` is alone.
    Programs that cut a text between UTF-16 units, as JavaScript's `slice` does, write such escapes."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    pieces = WellFormedJSONPieces()
    return pieces.add(text) + pieces.rest()


class WellFormedJSONPieces:
    """`well_formed` and `well_formed_json` for JSON that comes in pieces: an escape that may go on waits
    for its rest."""

    def __init__(self) -> None:
        self._pieces = WellFormedPieces()
        self._open = ""
        """An escape at the end of the text so far, of which the rest may come."""

    def add(self, piece: str) -> str:
        """The next piece of the text, as far as it is certain."""
        text, self._open = self._open + self._pieces.add(piece), ""
        return _ESCAPE.sub(self._escape, text)

    def rest(self) -> str:
        """The end of the text."""
        text, self._open = self._open + self._pieces.rest(), ""
        return re.sub(_HIGH, NO_CHARACTER, text)

    def _escape(self, found: re.Match[str]) -> str:
        if found["open"]:
            self._open = found["open"]
            return ""
        return NO_CHARACTER if found["half"] else found[0]
