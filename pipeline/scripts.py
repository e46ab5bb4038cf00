"""Scripts: splits a text into runs of one script, each with its most likely language."""

import functools
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pipeline.language import script_of

LANGUAGES = {
    "ARABIC": "ar", "ARMENIAN": "hy", "BENGALI": "bn", "CJK": "zh", "CYRILLIC": "ru", "DEVANAGARI": "hi",
    "ETHIOPIC": "am", "GEORGIAN": "ka", "GREEK": "el", "GUJARATI": "gu", "GURMUKHI": "pa",
    "HANGUL": "ko", "HEBREW": "he", "HIRAGANA": "ja", "KANNADA": "kn", "KATAKANA": "ja",
    "MALAYALAM": "ml", "MYANMAR": "my", "ORIYA": "or", "SINHALA": "si", "TAMIL": "ta", "TELUGU": "te",
    "THAI": "th",
}  # fmt: skip
"""A script, by the first word of its letters' names in Unicode ▶ its most likely language. Foreign Han
counts as Chinese, since Japanese readings would need a dictionary."""

_TELLTALE = (("CYRILLIC", "іїєґ", "uk"), ("ARABIC", "ٹڈڑں", "ur"), ("ARABIC", "پچژگ", "fa"))
"""Letters that identify one of the languages that share a script."""

_SEVERAL = {
    "Jpan": ("HIRAGANA", "KATAKANA", "CJK"), "Kore": ("HANGUL", "CJK"), "Hans": ("CJK",),
    "Hant": ("CJK",),
}  # fmt: skip
"""ISO 15924 codes that stand for several scripts, or for one under another name."""


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """A part of a text. `language`: that of a foreign script; None: it is in the text's own."""

    start: int
    text: str
    language: str | None


def scripts_of(languages: Iterable[str]) -> frozenset[str]:
    """The scripts in which these languages are written, as in `LANGUAGES`. Latin is not among them,
    since every voice reads it."""
    codes = {script_of(language) for language in languages}
    return frozenset(script for code in codes for script in _SEVERAL.get(code, (_name_of(code),)))


def script_runs(text: str, own: Collection[str]) -> list[ScriptRun]:
    """Split a text into runs of its `own` scripts and runs of foreign ones; joined they are the text.

    Punctuation after a foreign run belongs to it, digits do not; a single Greek letter is a symbol, not
    foreign.
    """
    runs: list[ScriptRun] = []
    for script, start, end in _pieces(text, own):
        part = text[start:end]
        alone = script == "GREEK" and sum(map(str.isalpha, part)) == 1
        language = None if script is None or alone else _language_of(script, part)
        if runs and runs[-1].language == language:
            start, part = runs[-1].start, runs.pop().text + part
        runs.append(ScriptRun(start, part, language))
    return runs


def _pieces(text: str, own: Collection[str]) -> Iterator[tuple[str | None, int, int]]:
    """Stretches of one script (None: `own`), each with its start and its end."""
    script, start, end = None, 0, 0
    for position, character in enumerate(text):
        if character.isalpha():
            following = _foreign(character, own)
            if following != script:
                split = position if script is None else end
                if split > start:
                    yield script, start, split
                script, start = following, split
        elif script is None or position > end or unicodedata.category(character) not in _FOLLOWING:
            continue
        end = position + 1
    if script is not None and end < len(text):
        yield script, start, end
        script, start = None, end
    if start < len(text):
        yield script, start, len(text)


_FOLLOWING = ("Mn", "Mc", "Cf", "Po", "Pd", "Pe", "Pf", "Zs", "Lm")
"""Categories of the marks, the punctuation and the spaces that continue a foreign run."""


def _foreign(character: str, own: Collection[str]) -> str | None:
    """The script of a letter, or None if it is one of `own` or no voice is known for it."""
    if character.isascii():
        return None
    script = _script_name(character)
    return None if script in own or script not in LANGUAGES else script


@functools.lru_cache(4096)
def _script_name(character: str) -> str:
    return unicodedata.name(character, "").replace("-", " ").partition(" ")[0]


def _language_of(script: str, text: str) -> str:
    for written, letters, language in _TELLTALE:
        if script == written and any(letter in text.lower() for letter in letters):
            return language
    return LANGUAGES[script]


@functools.cache
def _name_of(code: str) -> str:
    """An ISO 15924 code ▶ the name as in `LANGUAGES`; empty for Latin and those that are not in it."""
    return next((name for name, language in LANGUAGES.items() if script_of(language) == code), "")
