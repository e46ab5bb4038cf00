"""Text for eSpeak's phonemes: what they would misread, written as it is spoken."""

import re

_ELLIPSIS = re.compile(r"\s*(?:\.{2,}|…)\s*(?=\w)")
"""Dots in mid-sentence, which would join two words: "Wait... what?" ▶ "waitwhat"."""

_RAW = re.compile(r"\[{2,}|\]{2,}")
"""Brackets around phonemes, as Piper understands them."""

_MONEY = re.compile(r"([$€£])\s?(\d+(?:,\d{3})*)(?:\.(\d\d)(?!\d))?(?![.,]?\d)")
_CURRENCY = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds")}

_MIN_SHOUTED = 3
"""Words: fewer in capitals may be names of letters, such as "the USA"."""


def for_espeak(text: str, language: str) -> str:
    """The text with pauses for dots, without capitals if all are, and with English amounts of money."""
    text = _RAW.sub(" ", _ELLIPSIS.sub(", ", text.replace("\0", " ")))
    if text.isupper() and len(text.split()) >= _MIN_SHOUTED:
        text = text.lower()
    return _MONEY.sub(_amount, text) if language == "en" else text


def _amount(match: re.Match[str]) -> str:
    """Turn "$3.50", which eSpeak reads "dollar 3 point 5 0", into "3 dollars 50"."""
    symbol, whole, cents = match.groups()
    one, many = _CURRENCY[symbol]
    spoken = f"{whole} {one if whole == '1' else many}"
    return spoken if cents in (None, "00") else f"{spoken} {int(cents)}"
