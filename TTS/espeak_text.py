"""Text for eSpeak: rewrites what it would misread."""

import re

_ELLIPSIS = re.compile(r"\s*(?:\.{2,}|…)\s*(?=\w)")
"""Dots in mid-sentence, which would join two words: "Wait... what?" ▶ "waitwhat"."""

_RAW = re.compile(r"\[{2,}|\]{2,}")
"""The brackets in which Piper accepts phonemes."""

_MONEY = re.compile(
    r"([$€£])\s?(\d[\d,]*)(\.\d+)?(?<!,)(\s(?:hundred|thousand|million|billion|trillion)\b)?"
)
_CURRENCY = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds")}

_MIN_SHOUTED = 3
"""Words in capitals from which a text counts as shouted; fewer may be abbreviations, as in "THE USA"."""


def for_espeak(text: str, language: str) -> str:
    """The text with pauses for dots, in lowercase if it is shouted, and with English amounts of money
    spelled out."""
    text = _RAW.sub(" ", _ELLIPSIS.sub(", ", text.replace("\0", " ")))
    if text.isupper() and len(text.split()) >= _MIN_SHOUTED:
        text = text.lower()
    return _MONEY.sub(_amount, text) if language == "en" else text


def _amount(match: re.Match[str]) -> str:
    """Turn "$3.50", which eSpeak reads "dollar 3 point 5 0", into "3 dollars 50"."""
    symbol, whole, decimals, scale = match.groups(default="")
    one, many = _CURRENCY[symbol]
    if not scale and len(decimals) == 3:
        cents = int(decimals[1:])
        return f"{whole} {one if whole == '1' else many}" + (f" {cents}" if cents else "")
    amount = whole + decimals + scale
    return f"{amount} {one if amount == '1' else many}"
