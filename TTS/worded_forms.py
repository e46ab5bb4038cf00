"""WordedForms: the written forms of a language for which there are words in `TTS/written_words.py`."""

import functools
import re
from collections.abc import Iterator
from decimal import Decimal

from babel.core import Locale

from TTS.ordinals import ROMAN, number_of, ordinal
from TTS.written_forms import (
    FROM,
    ISO_DATE,
    MANY,
    TO,
    Edit,
    Kind,
    Match,
    WrittenForms,
    any_of,
    digits_of,
)
from TTS.written_words import UNITS, Numbered, Words

_RANGED = (
    "number",
    "quantity",
    "clock",
    "hour",
    "other_clock",
    "iso",
    "date",
    "fraction",
    "money",
    "price",
)
"""Kinds of forms that a hyphen or a dash joins into a range."""

_DASHES = ("-", "–", "—", " – ", " — ")
_RESULT = re.compile(r"\s*=")
_VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8)}
_PER = re.compile(rf"/(?:(?P<unit>{any_of(UNITS)})(?!\w)|(?=[^\W\d]))")

_HALF = r"(?i:[ap]\.\s?m\.|[ap]m)"
_SENTENCE_ENDS = re.compile(r"\s*$|\s+[A-Z]")


class WordedForms(WrittenForms):
    """In addition to prices, quantities and dates: times, telephone numbers, fractions, ranges, e-mail
    addresses, and signs for words."""

    def __init__(self, locale: Locale, words: Words) -> None:
        self._words = words
        super().__init__(locale)

    def edits(self, text: str) -> Iterator[Edit]:
        """The forms that are replaced, from left to right."""
        for edit in super().edits(text):
            yield edit
            if per := _PER.match(text, edit.end):
                unit = self.measured("", Decimal(1), UNITS[per["unit"]]).strip() if per["unit"] else ""
                yield Edit(edit.end, per.end(), f" {self._words.per} {unit}")

    def kinds(self) -> Iterator[Kind]:
        """The kinds of forms; the first that matches counts."""
        words = self._words
        yield "email", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", self._address
        yield (
            "date",
            r"(?<![\w./-])(?P<left>\d\d?)(?P<mark>[./-])(?P<right>\d\d?)(?P=mark)"
            r"(?P<year>\d{4}|(?<=/)\d\d)(?![\w/-]|\.\d)",
            self._date,
        )
        for number, (pattern, rule) in enumerate(words.ordinals):
            group = f"nth{number}"
            say = functools.partial(self._ordinal, group, rule)
            yield f"ordinal{number}", pattern.replace("{nth}", group), say
        if words.decades:
            yield (
                "decade",
                r"(?<![\w.,$€£])(?!0)(?P<century>1\d|20(?!0))?(?P<ten>\d)0['’]?s\b",
                self._decade,
            )
        yield "roman", rf"\b(?P<name>[A-ZÀ-Þ][\w'’-]*) (?P<numeral>{ROMAN})(?!\w)", self._roman
        yield (
            "height",
            rf"{FROM}(?P<feet>\d)(?:['’′]\s?|\s?ft\s)(?P<inches>\d\d?)(?:[\"”″]|\s?in)(?!\w)",
            self._height,
        )
        yield "phone", _phones(words.local_phones), _digit_by_digit
        yield "chain", rf"(?!{ISO_DATE}){FROM}(?<!-)\d+(?:[-–]\d+){{2,}}(?![\w-])", _in_groups
        yield from self._clocks()
        yield (
            "sign",
            r"(?<![\w&#])(?:#|№\s?|[Nn][°º]\s?|N[or]\.\s?)(?=\d)",
            lambda match: f"{words.number} ",
        )
        yield "about", r"(?<![\w~])[~≈]\s?(?=[\d$€£])", lambda match: f"{words.about} "
        yield (
            "fraction",
            rf"{FROM}(?:(?:(?P<whole>\d+)\s)?(?P<top>\d{{1,3}})/(?P<bottom>\d{{1,3}})(?!/){TO}"
            rf"|(?P<wholes>\d+)?\s?(?P<vulgar>[{''.join(_VULGAR)}])(?!\w))(?:\s?(?P<of>{any_of(UNITS)}){TO})?",
            self._fraction,
        )
        yield from super().kinds()

    def between(self, before: Match, match: Match) -> Iterator[Edit]:
        """A dash between two numbers becomes the word for a range, or for minus if a result follows."""
        gap = match.string[before.end() : match.start()]
        if before.lastgroup not in _RANGED or match.lastgroup not in _RANGED:
            return
        if _RESULT.match(match.string, match.end()):
            if gap.strip() in _DASHES:
                yield Edit(before.end(), match.start(), f" {self._words.minus} ")
        elif gap in _DASHES and not (match.lastgroup == "number" and match[0].startswith("0")):
            word = " " if before[0] == match[0] else f" {self._words.range} "  # "50-50"
            yield Edit(before.end(), match.start(), word)

    def after_price(self, kind: str) -> str:
        """The end of a range, and a word or a letter for thousands or millions."""
        return (
            rf"(?:\s?[-–]\s?[$€£]?(?P<{kind}_upto>{self.number}))?"
            rf"(?:\s?(?P<{kind}_scale>{any_of(self._words.scales)})(?!\w))?"
        )

    def day(self, year: int, month: int, day: int) -> str | None:
        """A date in words; None if there is no such day."""
        said = super().day(year, month, day)
        if said and self._words.day_rule:
            spelled = ordinal(self.locale.language, day, self._words.day_rule)
            return re.sub(rf"\b{day}\.", spelled, said, count=1)
        spoken = self._words.days.get(day)
        return re.sub(rf"\b{day}\b", spoken, said, count=1) if said and spoken else said

    def priced(self, currency: str, written: str, match: Match, kind: str) -> str:
        """A price in everyday words, if there are any."""
        words, upto, scale = self._words, match[f"{kind}_upto"], match[f"{kind}_scale"]
        coins = words.coins.get(currency)
        if coins and len(self.split(written)[1]) == 2 and not upto and not scale:
            return self._with_cents(coins, written)
        value = MANY if scale else self.value(upto or written)
        if upto:
            written = f"{written} {words.range} {upto}"
        if scale:
            written = _numbered(words.scales[scale], written)
        if coins:
            said = _numbered(coins[0], "1" if value == 1 else written)
        else:
            said = self.named(currency, written, value)
        return re.sub(r"\bde (?=[ae])", "d'", said) if self.locale.language == "fr" else said

    def measured(self, written: str, value: Decimal, unit: str) -> str:
        """A number of units; a single one with its article, where "1" would be read as a bare number."""
        said = super().measured(written, value, unit)
        if written != "1" or self._words.one is None:
            return said
        one, feminine, ending = self._words.one
        noun = said.removeprefix("1 ")
        return f"{feminine if noun.partition(' ')[0].endswith(ending) else one} {noun}"

    def negative(self, said: str) -> str:
        """A quantity below zero."""
        return f"{self._words.minus} {said}"

    def _with_cents(self, coins: tuple[Numbered, Numbered], written: str) -> str:
        whole, cents = self.split(written)
        parts = []
        if digits_of(whole) or not int(cents):
            parts.append(_numbered(coins[0], whole))
        if int(cents):
            parts.append(_numbered(coins[1], str(int(cents))))
        return f" {self._words.and_cents} ".join(parts)

    def _address(self, match: Match) -> str:
        said = match[0]
        for sign, word in zip("@.-_", self._words.address, strict=True):
            said = said.replace(sign, f" {word} ")
        return " ".join(said.split())

    def _date(self, match: Match) -> str | None:
        year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
        day, month = int(match["left"]), int(match["right"])
        month_first = not self._words.day_first and match["mark"] != "."
        if month > 12 or (month_first and day <= 12):
            day, month = month, day
        return self.day(year, month, day)

    def _decade(self, match: Match) -> str:
        return f"{match['century'] or ''} {self._words.decades[int(match['ten'])]}".strip()

    def _ordinal(self, group: str, rule: str, match: Match) -> str:
        return ordinal(self.locale.language, number_of(match[group]), rule)

    def _roman(self, match: Match) -> str:
        name, number = match["name"], number_of(match["numeral"])
        before = self._words.regnal.get(name)
        if before is None:
            return f"{name} {number}"
        return f"{before} {ordinal(self.locale.language, number, 'spellout-ordinal')}"

    def _height(self, match: Match) -> str:
        parts = (("feet", "length-foot"), ("inches", "length-inch"))
        return " ".join(self.measured(match[name], Decimal(match[name]), unit) for name, unit in parts)

    def _clocks(self) -> Iterator[Kind]:
        words = self._words
        after = rf"(?:\s?(?P<half>{_HALF})(?!\w))?" if words.halves else "(?P<half>(?!))?"
        yield (
            "clock",
            r"(?<![\w:.,/])(?P<hours>[01]?\d|2[0-4]):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?"
            rf"{after}(?:\s?(?:{words.clock})(?!\w))?(?!\w|[:.,]\d)",
            self._clock,
        )
        if words.halves:
            yield "hour", rf"{FROM}(?P<at>1[0-2]|0?[1-9])\s?(?P<at_half>{_HALF})(?!\w)", self._hour
        yield "other_clock", rf"{FROM}{words.other_clock}(?!\w)", self._other_clock

    def _clock(self, match: Match) -> str:
        said = self._time(int(match["hours"]), int(match["minutes"]), match["half"], match)
        if seconds := match["seconds"]:
            said += f", {self.measured(str(int(seconds)), Decimal(seconds), UNITS['s'])}"
        return said

    def _hour(self, match: Match) -> str:
        return self._time(int(match["at"]), 0, match["at_half"], match)

    def _other_clock(self, match: Match) -> str | None:
        hour = int(match["h"])
        return self._time(hour, int(match["min"]), None, match) if hour <= 24 else None

    def _time(self, hour: int, minute: int, half: str | None, match: Match) -> str:
        words = self._words
        said = _numbered(words.hour, str(hour))
        if minute:
            said = words.minutes.format(said, f"{words.zero if minute < 10 else ''}{minute}")
        elif words.after_noon and not 0 < hour <= 12:
            said = words.after_noon.format(said)
        elif half is None:
            said = words.sharp.format(said)
        if half is None or words.halves is None:
            return said
        stop = half.endswith(".") and _SENTENCE_ENDS.match(match.string, match.end())
        return f"{said} {words.halves[half[0] in 'pP']}{'.' if stop else ''}"

    def _fraction(self, match: Match) -> str:
        words, whole, vulgar = self._words, match["whole"] or match["wholes"], match["vulgar"]
        top, bottom = _VULGAR[vulgar] if vulgar else (int(match["top"]), int(match["bottom"]))
        if _RESULT.match(match.string, match.end()):
            said = f"{top} {words.over} {bottom}"
        elif bottom in words.parts:
            said = _numbered(words.parts[bottom], str(top))
        elif bottom in (10, 100) and whole is None:
            said = f"{top} {words.out_of} {bottom}"
        elif top >= bottom or bottom <= 12:
            said = f"{top} {bottom}"  # as in "24/7", "50/50" and "9/11"
        else:
            said = f"{top} {words.over} {bottom}"
        if whole is not None:
            half = (top, bottom) == (1, 2)
            said = f"{whole} {words.and_half}" if half else f"{whole} {words.and_part} {said}"
        if unit := match["of"]:
            value = MANY if whole or top > bottom else Decimal(1)
            said = self.measured(said, value, UNITS[unit])
        return said


def _numbered(phrases: Numbered, written: str) -> str:
    one, many = phrases
    return one.format(written) if written == "1" else many.format(written)


def _phones(local: bool) -> str:
    american = r"(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-.]\d{4}"
    foreign = r"\+\d{1,3}(?:[ -]?\(?\d{2,5}\)?){2,5}"
    short = r"|(?<!pages )(?<!pp\. )\d{3}-\d{4}" if local else ""
    return rf"(?<![\w+.-])(?:{american}|{foreign}{short})(?![\w-])"


def _digit_by_digit(match: Match) -> str:
    groups = re.findall(r"\+?\d+", match[0])
    return ", ".join(re.sub(r"(?<=\d)(?=\d)", " ", group) for group in groups)


def _in_groups(match: Match) -> str:
    return re.sub(r"[-–]", " ", match[0])
