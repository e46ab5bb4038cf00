"""Languages: the codes that travel with a turn, and what they are called.

A code is ISO 639-1, or 639-3 where there is none; "-auto" behind it: the recognizer detected it.
"""

<<<<<<< HEAD
from typing import Any

=======
>>>>>>> 7761de6b4beba575d6aa5abce1cdc3474dd1c6e3
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
<<<<<<< HEAD
    language = _find(plain(code))
    return plain(code) if language is None else str(language.display_name("en"))
=======
    from langcodes import Language  # here, since environments of their own are without it
    from langcodes.tag_parser import LanguageTagError

    try:
        return Language.get(plain(code)).display_name("en")
    except LanguageTagError:
        return plain(code)
>>>>>>> 7761de6b4beba575d6aa5abce1cdc3474dd1c6e3


def is_language(code: str) -> bool:
    """Whether there is such a language."""
<<<<<<< HEAD
    language = _find(code)
    return language is not None and bool(language.is_valid())
=======
    from langcodes import Language
    from langcodes.tag_parser import LanguageTagError

    try:
        return Language.get(code).is_valid()
    except LanguageTagError:
        return False
>>>>>>> 7761de6b4beba575d6aa5abce1cdc3474dd1c6e3


def speaks(languages: tuple[str, ...], code: str) -> bool:
    """Whether an engine that states `languages` has this one."""
    return ANY in languages or plain(code) in languages


def if_spoken(languages: tuple[str, ...], code: str | None) -> str | None:
    """The code for an engine that has it; else None: it works as it is configured."""
    return code if code is not None and speaks(languages, code) else None


def _find(code: str) -> Any:
    from langcodes import Language  # not above: its tables take 30 ms, and most runs need none
    from langcodes.tag_parser import LanguageTagError

    try:
        return Language.get(code)
    except LanguageTagError:
        return None
