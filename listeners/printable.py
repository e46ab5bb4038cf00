"""Printable text: the words of users and models, safe to write to a terminal."""

import re
import unicodedata

_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f"  # ESC and the like: they move the cursor, change colors, answer questions
    r"\u2028\u2029"  # they end lines
    r"\u200e\u200f\u202a-\u202e\u2066-\u2069]+"  # they turn the order of what follows
)


def printable(text: str) -> str:
    """The text on one line, with a space in place of each run of control characters."""
    return text if text.isascii() and text.isprintable() else _CONTROL.sub(" ", text)


def encodable(text: str, encoding: str) -> str:
    """Printable text with a question mark for each character that the encoding lacks, without its
    accent if that helps."""
    safe = printable(text)
    try:
        safe.encode(encoding)
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", safe)
        plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
        return plain.encode(encoding, "replace").decode(encoding)
    return safe
