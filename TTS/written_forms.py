"""WrittenForms: the prices, quantities and dates in a text, in the words that a person would read.

The names of units, currencies and months, with their plurals, come from the Unicode CLDR through
Babel, in every language of the CLDR. Numbers stay digits, which every voice reads in its own language.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.core import Locale
from babel.dates import format_date
from babel.numbers import get_currency_name
from babel.units import format_unit

from TTS.written_words import CURRENCIES, SPACED, UNITS

FROM = r"(?<![\w.,/])"
TO = r"(?!\w|[.,/]\d)"
"""The borders of a number that is not part of a name, a version or a larger number."""

_MINUS = r"(?<![\w)\]])[-−–]"
_DIGITS = re.compile(r"\d[\d.,]*")
ISO_DATE = r"(?<![\w/-])(?:\d{4}-\d\d-\d\d|\d{4}/\d\d?/\d\d?)(?![\w/-])"

MANY = Decimal(2)

Match = re.Match[str]
Kind = tuple[str, str, Callable[[Match], str | None]]
"""A kind of written form, its pattern, and the function that words it; None: the form stays."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Words that replace a part of a text."""

    start: int
    end: int
    words: str


class WrittenForms:
    """The written forms of a language of CLDR."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        symbols = locale.number_symbols["latn"]
        self._group: str = symbols["group"]
        group = "[\u00a0\u202f ]" if self._group.isspace() else re.escape(self._group)
        decimal = re.escape(symbols["decimal"])
        thousands, rest = rf"\d{{1,3}}(?:{group}\d{{3}}){{1,5}}", r"\d{1,15}"
        self.number = rf"(?:{thousands}(?:{decimal}{rest})?|{rest}(?:[.,]{rest})?)"
        kinds = list(self.kinds())
        self._forms = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern, _ in kinds))
        self._say = {kind: say for kind, _, say in kinds}

    def edits(self, text: str) -> Iterator[Edit]:
        """The forms that are replaced, from left to right."""
        before: Match | None = None
        for match in self._forms.finditer(text):
            if before is not None:
                yield from self.between(before, match)
            said = self._say[match.lastgroup or ""](match)
            if said is not None:
                yield Edit(match.start(), match.end(), said)
            before = match

    def kinds(self) -> Iterator[Kind]:
        """The kinds of forms; the first that matches counts."""
        yield "iso", ISO_DATE, lambda match: self.day(*map(int, re.split("[-/]", match[0])))
        minus, number, signs = _MINUS, self.number, any_of(CURRENCIES)
        yield (
            "money",
            rf"(?P<money_minus>{minus})?(?<!\w)(?P<money_sign>{signs})\s?(?P<money_sum>{number})"
            rf"{self.after_price('money')}{TO}",
            functools.partial(self._price, "money"),
        )
        yield (
            "price",
            rf"(?P<price_minus>{minus})?{FROM}(?P<price_sum>{number}){self.after_price('price')}"
            rf"\s?(?P<price_sign>{signs})(?!\w)",
            functools.partial(self._price, "price"),
        )
        units = any_of(sign for sign in UNITS if sign not in SPACED)
        yield (
            "quantity",
            rf"(?P<below>{minus})?{FROM}(?P<value>{number})"
            rf"(?:\s?(?P<unit>{units})|\s(?P<spaced>{any_of(SPACED)})){TO}",
            self._quantity,
        )
        yield "number", rf"{FROM}{number}{TO}", lambda match: None

    def between(self, before: Match, match: Match) -> Iterator[Edit]:
        """The edits of the text between two forms."""
        return iter(())

    def after_price(self, kind: str) -> str:
        """A regular expression of what may follow the number of a price. Its group names begin with
        `kind`."""
        return ""

    def day(self, year: int, month: int, day: int) -> str | None:
        """A date in words; None if there is no such day."""
        try:
            return str(format_date(date(year, month, day), "long", self.locale))
        except ValueError:
            return None

    def priced(self, currency: str, written: str, match: Match, kind: str) -> str:
        """A price in words; `written` is its number."""
        return self.named(currency, written, self.value(written))

    def named(self, currency: str, written: str, value: Decimal) -> str:
        """An amount of a currency, with the number as `written`."""
        return f"{written} {get_currency_name(currency, value, self.locale)}"

    def measured(self, written: str, value: Decimal, unit: str) -> str:
        """A number of units, with the number as `written`."""
        said = format_unit(value, unit, "long", locale=self.locale).replace("\u00a0", " ")
        return _DIGITS.sub(lambda match: written, said, count=1)

    def negative(self, said: str) -> str:
        """A quantity below zero."""
        return f"-{said}"

    def value(self, written: str) -> Decimal:
        """The value of a number."""
        whole, decimals = self.split(written)
        return Decimal(f"{digits_of(whole)}.{decimals}")

    def split(self, written: str) -> tuple[str, str]:
        """The whole part, as written, and the decimals of a number. "1.500" is a whole number where the
        period groups; "1.50" is not."""
        mark = max(written.rfind("."), written.rfind(","))
        if mark < 0 or (written[mark] == self._group and len(written) - mark == 4):
            return written, ""
        return written[:mark], written[mark + 1 :]

    def _price(self, kind: str, match: Match) -> str:
        currency = CURRENCIES[match[f"{kind}_sign"]]
        said = self.priced(currency, match[f"{kind}_sum"], match, kind)
        return self.negative(said) if match[f"{kind}_minus"] else said

    def _quantity(self, match: Match) -> str:
        written = match["value"]
        said = self.measured(written, self.value(written), UNITS[match["unit"] or match["spaced"]])
        return self.negative(said) if match["below"] else said


def any_of(signs: Iterable[str]) -> str:
    """A regular expression of any of these, the longest first."""
    return "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))


def digits_of(written: str) -> int:
    """The value of a whole number with marks between its thousands."""
    return int(re.sub(r"\D", "", written))
