"""The tables of the written forms: the words that are missing from CLDR, and the signs of its units and
currencies."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Numbered = tuple[str, str]
"""A phrase for one and a phrase for several, with `{}` for the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one language."""

    range: str
    """Word between two numbers: "5-7"."""
    about: str
    """Word for "~" in "~5"."""
    number: str
    """Word for "#" in "#1"."""
    per: str
    """Word for "/" in "$20/month"."""
    minus: str
    address: tuple[str, str, str, str]
    """Words for "@", ".", "-" and "_" in an e-mail address."""
    hour: Numbered
    """The hour of a time."""
    sharp: str = "{}"
    """Phrase for a full hour: "8:00"."""
    minutes: str = "{} {}"
    """Phrase for an hour and its minutes: "8:30"."""
    zero: str = ""
    """Word before minutes below ten."""
    after_noon: str = ""
    """Phrase for a full hour from 13 on, if it differs."""
    clock: str = "(?!)"
    """Regular expression of a word that may follow a time and is replaced with it."""
    other_clock: str = "(?!)"
    """Regular expression of times without a colon, with the groups `h` and `min`."""
    halves: tuple[str, str] | None = None
    """Words for "a.m." and "p.m."; None: the language does not write them."""
    parts: Mapping[int, Numbered]
    """Denominator ▶ its part as in "1/4" and "3/4"."""
    over: str
    """Words between the numbers of any other fraction."""
    out_of: str
    """Words between the numbers of "8/10" and "95/100"."""
    and_half: str
    """Words after a whole number: "2 1/2"."""
    and_part: str
    """Word between a whole number and any other part."""
    and_cents: str
    """Word between the two numbers of a price."""
    one: tuple[str, str, str] | None = None
    """Masculine and feminine article, and the ending of feminine nouns, for one of a unit; None: "1"
    will do."""
    scales: Mapping[str, Numbered]
    """Signs and words after the number of a price, as "M" in "$3M", and their words."""
    coins: Mapping[str, tuple[Numbered, Numbered]]
    """Currency ▶ its everyday name, and that of its hundredth."""
    days: Mapping[int, str] = field(default_factory=dict)
    """Days of a month that are not read as plain numbers."""
    ordinals: tuple[tuple[str, str], ...] = ()
    """Regular expressions of ordinals that voices misread, with the group `{nth}`, and the rule by which
    CLDR spells each."""
    day_rule: str = ""
    """The rule for the number before a month, if CLDR writes it with a period."""
    regnal: Mapping[str, str] = field(default_factory=dict)
    """Names whose Roman number is an ordinal ▶ the words before it: "Henry VIII"."""
    decades: tuple[str, ...] = ()
    """Words for the tens of "1990s"; empty: the language does not write them."""
    day_first: bool = True
    """The order of "05/03/2024"."""
    local_phones: bool = False
    """True if "555-1234" is a telephone number."""


def _scales(*words: tuple[str, str, str]) -> dict[str, Numbered]:
    """From the signs, the singular and the plural of each power of a thousand."""
    return {
        sign: (f"{{}} {one}", f"{{}} {many}") for signs, one, many in words for sign in signs.split()
    }


_REGNAL = (
    "Albert", "Alexander", "Benedict", "Catherine", "Charles", "Christian", "Clement", "Edward",
    "Elizabeth", "Ferdinand", "Francis", "Frederick", "George", "Gregory", "Gustav", "Henry", "Innocent",
    "Ivan", "James", "John", "Leo", "Leopold", "Louis", "Mary", "Napoleon", "Nicholas", "Paul", "Peter",
    "Philip", "Pius", "Rama", "Ramesses", "Ramses", "Richard", "Thutmose", "Urban", "Wilhelm", "William",
)  # fmt: skip
"""Names of English kings, popes and others."""

_AFTER_GERMAN = r"\.(?=\s+(?:[A-ZÄÖÜ]\w|bis\s|und\s))"
_GERMAN_MONTHS = (
    r"\.(?=\s?(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November"
    r"|Dezember)\b)"
)

_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
"""Endings of English ordinals; all others end in "th"."""

WORDS = {
    "en": Words(
        range="to", about="about", number="number", per="per", minus="minus",
        address=("at", "dot", "dash", "underscore"),
        hour=("{}", "{}"), sharp="{} o'clock", zero="oh ", after_noon="{} hundred",
        clock="hours|o'clock", halves=("AM", "PM"),
        parts={
            2: ("one half", "{} halves"), 3: ("one third", "{} thirds"),
            4: ("one quarter", "{} quarters"), 5: ("one fifth", "{} fifths"),
            6: ("one sixth", "{} sixths"), 8: ("one eighth", "{} eighths"),
            16: ("one sixteenth", "{} sixteenths"),
        },
        over="over", out_of="out of", and_half="and a half", and_part="and", and_cents="and",
        scales=_scales(
            ("hundred", "hundred", "hundred"), ("K k thousand", "thousand", "thousand"),
            ("M m mn million", "million", "million"), ("B b bn billion", "billion", "billion"),
            ("T tn trillion", "trillion", "trillion"),
        ),
        coins={
            "USD": (("{} dollar", "{} dollars"), ("{} cent", "{} cents")),
            "EUR": (("{} euro", "{} euros"), ("{} cent", "{} cents")),
            "GBP": (("{} pound", "{} pounds"), ("{} penny", "{} pence")),
        },
        days={day: f"{day}{_ENDINGS.get(day % 10 * (day // 10 != 1), 'th')}" for day in range(1, 32)},
        decades=(
            "hundreds", "tens", "twenties", "thirties", "forties", "fifties", "sixties", "seventies",
            "eighties", "nineties",
        ),
        regnal={name: f"{name} the" for name in _REGNAL}, day_first=False, local_phones=True,
    ),
    "de": Words(
        range="bis", about="etwa", number="Nummer", per="pro", minus="minus",
        address=("ät", "Punkt", "Bindestrich", "Unterstrich"),
        hour=("ein Uhr", "{} Uhr"), clock="Uhr",
        other_clock=r"(?P<h>\d\d?)\.(?P<min>[0-5]\d)\sUhr",
        parts={
            2: ("ein halb", "{} Halbe"), 3: ("ein Drittel", "{} Drittel"),
            4: ("ein Viertel", "{} Viertel"), 5: ("ein Fünftel", "{} Fünftel"),
            6: ("ein Sechstel", "{} Sechstel"), 8: ("ein Achtel", "{} Achtel"),
        },
        over="durch", out_of="von", and_half="einhalb", and_part="und", and_cents="und",
        one=("ein", "eine", "e"),
        scales=_scales(
            ("K k Tsd. Tausend tausend", "tausend", "tausend"),
            ("M Mio. Mio Million Millionen", "Million", "Millionen"),
            ("B Mrd. Mrd Milliarde Milliarden", "Milliarde", "Milliarden"),
        ),
        coins={
            "USD": (("ein Dollar", "{} Dollar"), ("ein Cent", "{} Cent")),
            "EUR": (("ein Euro", "{} Euro"), ("ein Cent", "{} Cent")),
            "GBP": (("ein Pfund", "{} Pfund"), ("ein Penny", "{} Pence")),
        },
        ordinals=(
            (r"(?<=\b[Dd](?:er|ie|as) )(?P<{nth}>\d{1,3}|[IVX]+)" + _AFTER_GERMAN, "spellout-ordinal"),
            (
                r"(?:(?<=\b[AaIi]m )|(?<=\b[VvZz][ou]m )|(?<=\b[Bb]eim )|(?<=\b[Dd]e[nms] )|(?<=\bbis ))"
                r"(?P<{nth}>\d{1,3}|[IVX]+)" + _AFTER_GERMAN,
                "spellout-ordinal-n",
            ),
            (r"(?<![\w.,])(?P<{nth}>\d{1,2})" + _GERMAN_MONTHS, "spellout-ordinal-r"),
        ),
        day_rule="spellout-ordinal-n",
    ),
    "fr": Words(
        range="à", about="environ", number="numéro", per="par", minus="moins",
        address=("arobase", "point", "tiret", "tiret bas"),
        hour=("une heure", "{} heures"), clock="heures|heure|h",
        other_clock=r"(?P<h>\d\d?)\s?h\s?(?P<min>[0-5]\d)",
        parts={
            2: ("un demi", "{} demis"), 3: ("un tiers", "{} tiers"), 4: ("un quart", "{} quarts"),
            5: ("un cinquième", "{} cinquièmes"), 6: ("un sixième", "{} sixièmes"),
            8: ("un huitième", "{} huitièmes"),
        },
        over="sur", out_of="sur", and_half="et demi", and_part="et", and_cents="et",
        scales=_scales(
            ("K k mille", "mille", "mille"), ("M million millions", "million de", "millions de"),
            ("B Md Mds milliard milliards", "milliard de", "milliards de"),
        ),
        coins={
            "USD": (("un dollar", "{} dollars"), ("un centime", "{} centimes")),
            "EUR": (("un euro", "{} euros"), ("un centime", "{} centimes")),
            "GBP": (("une livre", "{} livres"), ("un penny", "{} pence")),
        },
        days={1: "premier"},
        ordinals=((r"\b(?P<{nth}>\d{1,3}|[IVX]+)(?:e|ème|ᵉ)\b", "spellout-ordinal-masculine"),),
    ),
    "es": Words(
        range="a", about="unos", number="número", per="por", minus="menos",
        address=("arroba", "punto", "guion", "guion bajo"),
        hour=("una", "{}"), sharp="{} en punto", minutes="{} y {}", clock="horas|hora|h",
        other_clock=r"(?P<h>\d\d?)[.h](?P<min>[0-5]\d)\sh",
        halves=("de la mañana", "de la tarde"),
        parts={
            2: ("medio", "{} medios"), 3: ("un tercio", "{} tercios"), 4: ("un cuarto", "{} cuartos"),
            5: ("un quinto", "{} quintos"), 6: ("un sexto", "{} sextos"), 8: ("un octavo", "{} octavos"),
        },
        over="sobre", out_of="de", and_half="y medio", and_part="y", and_cents="con",
        one=("un", "una", "a"),
        scales=_scales(
            ("K k mil", "mil", "mil"), ("M millón millones", "millón de", "millones de"),
            ("B", "mil millones de", "mil millones de"),
        ),
        coins={
            "USD": (("un dólar", "{} dólares"), ("un centavo", "{} centavos")),
            "EUR": (("un euro", "{} euros"), ("un céntimo", "{} céntimos")),
            "GBP": (("una libra", "{} libras"), ("un penique", "{} peniques")),
        },
        days={1: "primero"},
        ordinals=(
            (r"\b(?P<{nth}>[1-9]|1\d)\.?º(?!\s?[CF]|\w)", "spellout-ordinal-masculine"),
            (r"\b(?P<{nth}>[1-9]|1\d)\.?ª(?!\w)", "spellout-ordinal-feminine"),
        ),
    ),
    "it": Words(
        range="a", about="circa", number="numero", per="al", minus="meno",
        address=("chiocciola", "punto", "trattino", "trattino basso"),
        hour=("una", "{}"), sharp="{} in punto", minutes="{} e {}",
        parts={
            2: ("mezzo", "{} mezzi"), 3: ("un terzo", "{} terzi"), 4: ("un quarto", "{} quarti"),
            5: ("un quinto", "{} quinti"), 6: ("un sesto", "{} sesti"), 8: ("un ottavo", "{} ottavi"),
        },
        over="su", out_of="su", and_half="e mezzo", and_part="e", and_cents="e",
        one=("un", "una", "a"),
        scales=_scales(
            ("K k mila", "mila", "mila"), ("M mln milione milioni", "milione di", "milioni di"),
            ("B mld miliardo miliardi", "miliardo di", "miliardi di"),
        ),
        coins={
            "USD": (("un dollaro", "{} dollari"), ("un centesimo", "{} centesimi")),
            "EUR": (("un euro", "{} euro"), ("un centesimo", "{} centesimi")),
            "GBP": (("una sterlina", "{} sterline"), ("un penny", "{} pence")),
        },
        days={1: "primo"},
    ),
    "pt": Words(
        range="a", about="cerca de", number="número", per="por", minus="menos",
        address=("arroba", "ponto", "hífen", "sublinhado"),
        hour=("uma hora", "{} horas"), minutes="{} e {}", clock="horas|hora|h",
        other_clock=r"(?P<h>\d\d?)\s?h\s?(?P<min>[0-5]\d)",
        parts={
            2: ("meio", "{} meios"), 3: ("um terço", "{} terços"), 4: ("um quarto", "{} quartos"),
            5: ("um quinto", "{} quintos"), 6: ("um sexto", "{} sextos"), 8: ("um oitavo", "{} oitavos"),
        },
        over="sobre", out_of="de", and_half="e meio", and_part="e", and_cents="e",
        one=("um", "uma", "a"),
        scales=_scales(
            ("K k mil", "mil", "mil"), ("M mi milhão milhões", "milhão de", "milhões de"),
            ("B bi bilhão bilhões", "bilhão de", "bilhões de"),
        ),
        coins={
            "USD": (("um dólar", "{} dólares"), ("um centavo", "{} centavos")),
            "EUR": (("um euro", "{} euros"), ("um cêntimo", "{} cêntimos")),
            "GBP": (("uma libra", "{} libras"), ("um penny", "{} pence")),
        },
        days={1: "primeiro"},
    ),
    "nl": Words(
        range="tot", about="ongeveer", number="nummer", per="per", minus="min",
        address=("apenstaartje", "punt", "streepje", "laag streepje"),
        hour=("één uur", "{} uur"), clock="uur|u",
        other_clock=r"(?P<h>\d\d?)\.(?P<min>[0-5]\d)\suur",
        parts={
            2: ("een half", "{} halve"), 3: ("een derde", "{} derde"), 4: ("een kwart", "{} kwart"),
            5: ("een vijfde", "{} vijfde"), 6: ("een zesde", "{} zesde"),
            8: ("een achtste", "{} achtste"),
        },
        over="gedeeld door", out_of="van de", and_half="en een half", and_part="en", and_cents="en",
        scales=_scales(
            ("K k duizend", "duizend", "duizend"), ("M mln miljoen", "miljoen", "miljoen"),
            ("B mld miljard", "miljard", "miljard"),
        ),
        coins={
            "USD": (("één dollar", "{} dollar"), ("één cent", "{} cent")),
            "EUR": (("één euro", "{} euro"), ("één cent", "{} cent")),
            "GBP": (("één pond", "{} pond"), ("één penny", "{} pence")),
        },
        ordinals=((r"\b(?P<{nth}>\d{1,3}|[IVX]+)(?:e|de|ste)\b", "spellout-ordinal"),),
    ),
}  # fmt: skip
"""Language ▶ its words."""

UNITS = {
    "km/h": "speed-kilometer-per-hour", "kmh": "speed-kilometer-per-hour",
    "kph": "speed-kilometer-per-hour", "mph": "speed-mile-per-hour", "m/s": "speed-meter-per-second",
    "km²": "area-square-kilometer", "m²": "area-square-meter", "cm²": "area-square-centimeter",
    "m³": "volume-cubic-meter", "cm³": "volume-cubic-centimeter", "sq ft": "area-square-foot",
    "km": "length-kilometer", "m": "length-meter", "cm": "length-centimeter",
    "mm": "length-millimeter", "µm": "length-micrometer", "μm": "length-micrometer",
    "nm": "length-nanometer", "mi": "length-mile", "ft": "length-foot", "yd": "length-yard",
    "kg": "mass-kilogram", "g": "mass-gram", "mg": "mass-milligram", "lb": "mass-pound",
    "lbs": "mass-pound", "oz": "mass-ounce", "l": "volume-liter", "L": "volume-liter",
    "ml": "volume-milliliter", "mL": "volume-milliliter", "cl": "volume-centiliter",
    "dl": "volume-deciliter", "gal": "volume-gallon", "tsp": "volume-teaspoon",
    "tbsp": "volume-tablespoon", "°C": "temperature-celsius", "℃": "temperature-celsius",
    "°F": "temperature-fahrenheit", "℉": "temperature-fahrenheit", "°": "angle-degree",
    "%": "concentr-percent", "kWh": "energy-kilowatt-hour", "kW": "power-kilowatt",
    "MW": "power-megawatt", "GW": "power-gigawatt", "W": "power-watt", "kcal": "energy-kilocalorie",
    "kJ": "energy-kilojoule", "V": "electric-volt", "mA": "electric-milliampere",
    "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz", "KB": "digital-kilobyte", "kB": "digital-kilobyte",
    "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "ms": "duration-millisecond", "s": "duration-second", "sec": "duration-second",
    "min": "duration-minute", "mins": "duration-minute", "h": "duration-hour", "hr": "duration-hour",
    "hrs": "duration-hour",
}  # fmt: skip
"""Signs ▶ CLDR's units. Signs that are words of some language, such as "in" and "a", are left out."""

SPACED = ("m", "s")
"""Signs that follow their number after a space: "in his 20s" is not a time, "$5m" not a length."""

CURRENCIES = {
    "US$": "USD", "CA$": "CAD", "C$": "CAD", "AU$": "AUD", "A$": "AUD", "NZ$": "NZD", "HK$": "HKD",
    "R$": "BRL", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB",
    "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫": "VND", "฿": "THB", "zł": "PLN", "Kč": "CZK",
    **{code: code for code in ("USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "CAD", "AUD", "SEK")},
}  # fmt: skip
"""Signs ▶ ISO 4217."""
