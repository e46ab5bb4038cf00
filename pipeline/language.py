"""Languages: the codes that travel with a turn, and their names.

A code is ISO 639-1, or 639-3 for a language without one; the suffix "-auto" marks a language that the
recognizer detected.
"""

import functools
from typing import Any

DETECTED = "-auto"
ANY = "any"
"""Entry in an engine's list of languages that stands for all of them."""


def plain(code: str) -> str:
    """Strip the mark of detection: "fr-auto" ▶ "fr"."""
    return code.removesuffix(DETECTED)


def is_detected(code: str) -> bool:
    """True if the recognizer detected the language."""
    return code.endswith(DETECTED)


def english_name(code: str) -> str:
    """English name of a language: "te" ▶ "Telugu". An unknown code is returned as it is."""
    language = _find(plain(code))
    return plain(code) if language is None else str(language.display_name("en"))


def base_of(code: str) -> str:
    """The language of a code without region and script: "en-us-nyc" ▶ "en"."""
    return plain(code).partition("-")[0]


@functools.cache
def all_languages() -> tuple[str, ...]:
    """The ISO 639-1 codes of all languages."""
    from langcodes import Language
    from langcodes.data_dicts import LANGUAGE_ALPHA3

    return tuple(
        code for code in sorted(LANGUAGE_ALPHA3) if len(code) == 2 and str(Language.get(code)) == code
    )


def is_language(code: str) -> bool:
    """True if the code stands for a language."""
    language = _find(code)
    return language is not None and bool(language.is_valid())


def script_of(code: str) -> str:
    """ISO 15924 code of the usual script of a language: "hi" ▶ "Deva"; empty if it is unknown."""
    language = _find(plain(code))
    return "" if language is None else language.maximize().script or ""


def speaks(languages: tuple[str, ...], code: str) -> bool:
    """True if an engine with these `languages` knows this one."""
    return ANY in languages or plain(code) in languages


def nearest(languages: tuple[str, ...], code: str) -> str | None:
    """Return the code as an engine with these `languages` knows it, else without its region: "EN-us" ▶
    "en"; None: it does not know the language."""
    code = code.lower()
    base = base_of(code)
    return code if code in languages else base if speaks(languages, base) else None


def if_spoken(languages: tuple[str, ...], code: str | None) -> str | None:
    """Return the code if the engine knows the language, else None: use the configured one."""
    return code if code is not None and speaks(languages, code) else None


def _find(code: str) -> Any:
    from langcodes import Language  # here: its tables take 30 ms, and isolated environments lack it
    from langcodes.tag_parser import LanguageTagError

    try:
        return Language.get(code)
    except LanguageTagError:
        return None
