"""Languages: the codes that travel with a turn, and what they are called.

A code is ISO 639-1, or 639-3 where there is none; "-auto" behind it: the recognizer detected it.
"""

from typing import Any

DETECTED = "-auto"
ANY = "any"
"""Stands for every language, in what an engine states."""


def plain(code: str) -> str:
    """The code without what says that it was detected: "fr-auto" ▶ "fr"."""
    return code.removesuffix(DETECTED)


def is_detected(code: str) -> bool:
    """Whether the recognizer found out, and was not told."""
    return code.endswith(DETECTED)


def english_name(code: str) -> str:
    """What a code stands for ("te" ▶ "Telugu"); of one that is none: itself."""
    language = _find(plain(code))
    return plain(code) if language is None else str(language.display_name("en"))


def is_language(code: str) -> bool:
    """Whether there is such a language."""
    language = _find(code)
    return language is not None and bool(language.is_valid())


def speaks(languages: tuple[str, ...], code: str) -> bool:
    """Whether an engine that states `languages` has this one."""
    return ANY in languages or plain(code) in languages


def if_spoken(languages: tuple[str, ...], code: str | None) -> str | None:
    """The code for an engine that has it; else None: it works as it is configured."""
    return code if code is not None and speaks(languages, code) else None


def _find(code: str) -> Any:
    from langcodes import Language  # not above: its tables take 30 ms, and other environments lack it
    from langcodes.tag_parser import LanguageTagError

    try:
        return Language.get(code)
    except LanguageTagError:
        return None
