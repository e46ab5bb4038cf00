"""Ordinals: the numbers of "der 3. Mai" and "XXIe siècle", spelled by the rules of the Unicode CLDR."""

import functools

ROMAN = r"(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})"
"""A Roman number from 2 to 39. Single letters usually mean something else."""

_NUMERALS = (("IX", 9), ("IV", 4), ("X", 10), ("V", 5), ("I", 1))


@functools.cache
def ordinal(language: str, number: int, rule: str) -> str:
    """An ordinal by a rule of CLDR, such as "spellout-ordinal-feminine"."""
    from unicode_rbnf import FormatPurpose, RbnfEngine  # here: 50 ms, for few languages

    engine = RbnfEngine.for_language(language)
    return engine.format_number(number, FormatPurpose.ORDINAL).text_by_ruleset[rule]


def number_of(written: str) -> int:
    """The value of a number in digits or in Roman letters."""
    if written.isdecimal():
        return int(written)
    value, rest = 0, written
    for letters, worth in _NUMERALS:
        value += rest.count(letters) * worth
        rest = rest.replace(letters, "")
    return value
