"""Written forms as the words that are read: a table for each kind, in four languages and more."""

import random
import time

import pytest
from babel.core import Locale
from babel.numbers import get_currency_name
from babel.units import format_unit

from TTS.espeak import espeak_library
from TTS.spoken_form import forms_of, spoken_form
from TTS.written_words import CURRENCIES, UNITS, WORDS


def read(text: str, language: str) -> str:
    form = spoken_form(text, language)
    return text if form is None else form.text


PRICES = [
    ("en", "It costs $49.95.", "It costs 49 dollars and 95 cents."),
    ("en", "You pay $1,234.56 in all.", "You pay 1,234 dollars and 56 cents in all."),
    ("en", "$1, €1.00, £1,000,000!", "1 dollar, 1 euro, 1,000,000 pounds!"),
    ("en", "$0.99 or £0.01", "99 cents or 1 penny"),
    ("en", "$2.5, $0.00", "2.5 dollars, 0 dollars"),
    ("en", "He made $3M, then $2.5bn.", "He made 3 million dollars, then 2.5 billion dollars."),
    ("en", "$3.5 million, or $5 billion", "3.5 million dollars, or 5 billion dollars"),
    ("en", "$20k a year", "20 thousand dollars a year"),
    ("en", "$20/month, $3/kg", "20 dollars per month, 3 dollars per kilogram"),
    ("en", "$5-10, $5-$10, $1–2M", "5 to 10 dollars, 5 to 10 dollars, 1 to 2 million dollars"),
    ("en", "a loss of -$5", "a loss of minus 5 dollars"),
    ("en", "100 USD, EUR 20, US$7", "100 dollars, 20 euros, 7 dollars"),
    ("en", "¥500, ₹1, A$3.20", "500 Japanese yen, 1 Indian rupee, 3.20 Australian dollars"),
    ("en", "$, US$ and $x, $5pp, $3x", "$, US$ and $x, $5pp, $3x"),
    ("de", "Das kostet 49,95 €.", "Das kostet 49 Euro und 95 Cent."),
    ("de", "Es kostet $49.95.", "Es kostet 49 Dollar und 95 Cent."),
    ("de", "1.234,56 €, 1 €, 10.000 €", "1.234 Euro und 56 Cent, ein Euro, 10.000 Euro"),
    ("de", "3,5 Mio. € und 1 Mrd. €", "3,5 Millionen Euro und 1 Milliarde Euro"),
    ("de", "5 CHF", "5 Schweizer Franken"),
    ("fr", "Ça coûte 49,95 €.", "Ça coûte 49 euros et 95 centimes."),
    ("fr", "1 234,50 €, 1 €", "1 234 euros et 50 centimes, un euro"),
    ("fr", "3 M€ et 5 millions €", "3 millions d'euros et 5 millions d'euros"),
    ("es", "Cuesta 49,95 € o $49.95.", "Cuesta 49 euros con 95 céntimos o 49 dólares con 95 centavos."),
    ("es", "$3M, 1 €", "3 millones de dólares, un euro"),
    ("pl", "To kosztuje 5 zł, 22 €.", "To kosztuje 5 złotych polskich, 22 euro."),
    ("ru", "Это стоит 5 €.", "Это стоит 5 евро."),
]

TIMES = [
    ("en", "We open at 8:00.", "We open at 8 o'clock."),
    ("en", "8:05, 8:30, 12:00, 15:30", "8 oh 5, 8 30, 12 o'clock, 15 30"),
    ("en", "15:00 and 00:00", "15 hundred and 0 hundred"),
    ("en", "8:00 am, 8:30pm, 5pm", "8 AM, 8 30 PM, 5 PM"),
    ("en", "At 8 a.m. we eat.", "At 8 AM we eat."),
    ("en", "We eat at 8:15 p.m. Then we go.", "We eat at 8 15 PM. Then we go."),
    ("en", "We eat at 8 a.m.", "We eat at 8 AM."),
    ("en", "8:00-9:30, 9am–5pm", "8 o'clock to 9 30, 9 AM to 5 PM"),
    ("en", "8:30:15", "8 30, 15 seconds"),
    ("en", "16:9, 1:2:3, 25:00, 12:60", "16:9, 1:2:3, 25:00, 12:60"),
    ("de", "Um 8:00, um 8:30 Uhr, um 1:00", "Um 8 Uhr, um 8 Uhr 30, um ein Uhr"),
    ("de", "Um 8.30 Uhr", "Um 8 Uhr 30"),
    ("de", "8:00-17:00 Uhr", "8 Uhr bis 17 Uhr"),
    (
        "fr",
        "À 8:00, 8:30, 1:00, 8h30, 20 h 15",
        "À 8 heures, 8 heures 30, une heure, 8 heures 30, 20 heures 15",
    ),
    ("es", "A las 8:00, 8:30, 1:15 h", "A las 8 en punto, 8 y 30, una y 15"),
    ("es", "A las 8:00 p. m.", "A las 8 de la tarde."),
    ("pl", "O 8:00.", "O 8:00."),
]

DATES = [
    ("en", "It is due on 2024-05-03.", "It is due on May 3rd, 2024."),
    ("en", "5/3/2024, 12/25/24, 25/12/2024", "May 3rd, 2024, December 25th, 2024, December 25th, 2024"),
    ("en", "2024-05-01 – 2024-05-22", "May 1st, 2024 to May 22nd, 2024"),
    ("en", "10.5.2024, 2024/5/3", "May 10th, 2024, May 3rd, 2024"),
    (
        "en",
        "the 1990s, the 80s, the '60s, the 1920's, the 1900s",
        "the 19 nineties, the eighties, the 'sixties, the 19 twenties, the 19 hundreds",
    ),
    ("en", "2024-13-45, 31/31/2024, 1.2.3", "2024-13-45, 31/31/2024, 1.2.3"),
    ("de", "Am 2024-05-03, am 03.05.2024", "Am dritten Mai 2024, am dritten Mai 2024"),
    ("fr", "Le 2024-05-03, le 01/05/2024", "Le 3 mai 2024, le premier mai 2024"),
    ("es", "El 2024-05-03, el 01/05/2024", "El 3 de mayo de 2024, el primero de mayo de 2024"),
    ("pl", "2024-05-03", "3 maja 2024"),
]

PHONES = [
    ("en", "Call 555-123-4567.", "Call 5 5 5, 1 2 3, 4 5 6 7."),
    ("en", "(555) 123-4567, 555.123.4567", "5 5 5, 1 2 3, 4 5 6 7, 5 5 5, 1 2 3, 4 5 6 7"),
    ("en", "1-800-555-0199", "1, 8 0 0, 5 5 5, 0 1 9 9"),
    ("en", "555-1234", "5 5 5, 1 2 3 4"),
    ("en", "+1 555 123-4567", "+1, 5 5 5, 1 2 3, 4 5 6 7"),
    ("de", "+49 30 123456", "+4 9, 3 0, 1 2 3 4 5 6"),
    ("fr", "+33 1 23 45 67 89", "+33 1 23 45 67 89"),
    ("es", "555-123-4567", "5 5 5, 1 2 3, 4 5 6 7"),
]

FRACTIONS = [
    ("en", "Take 1/2 cup, 3/4 cup.", "Take one half cup, 3 quarters cup."),
    ("en", "2 1/2 cups, 1½ hours, ¾ of it", "2 and a half cups, 1 and a half hours, 3 quarters of it"),
    ("en", "1 2/3 cups", "1 and 2 thirds cups"),
    ("en", "1/2 km, 1 1/2 lb", "one half kilometer, 1 and a half pounds"),
    ("en", "8/10, 95/100", "8 out of 10, 95 out of 100"),
    ("en", "24/7, 9/11, 7/15, 50/50", "24 7, 9 11, 7 over 15, 50 50"),
    ("en", "10/2 = 5", "10 over 2 = 5"),
    ("en", "1/2/3, a/b, and/or", "1/2/3, a/b, and/or"),
    ("de", "1/2, 3/4, 2 1/2", "ein halb, 3 Viertel, 2 einhalb"),
    ("fr", "1/3, 2/3, 1½", "un tiers, 2 tiers, 1 et demi"),
    ("es", "1/2, 3/4, 2 1/2", "medio, 3 cuartos, 2 y medio"),
]

QUANTITIES = [
    ("en", "It is 5 km away.", "It is 5 kilometers away."),
    (
        "en",
        "1 km, 1.5 kg, 100g, 60 km/h",
        "1 kilometer, 1.5 kilograms, 100 grams, 60 kilometers per hour",
    ),
    ("en", "-5 °C, 72°F, 90°", "minus 5 degrees Celsius, 72 degrees Fahrenheit, 90 degrees"),
    ("en", "5% off, 99.9%", "5 percent off, 99.9 percent"),
    ("en", "5-10 km, 20–30%", "5 to 10 kilometers, 20 to 30 percent"),
    ("en", "5 m, 5 g/l, 20 m²", "5 meters, 5 grams per liter, 20 square meters"),
    ("en", "16 GB, 3.2 GHz, 500 ms", "16 gigabytes, 3.2 gigahertz, 500 milliseconds"),
    ("en", "He is 5'10\", not 6 ft 2 in.", "He is 5 feet 10 inches, not 6 feet 2 inches."),
    ("en", "5G, A4, 3D, his 20s, 5 in", "5G, A4, 3D, his twenties, 5 in"),
    ("de", "Die Temperatur beträgt 22,1 °C.", "Die Temperatur beträgt 22,1 Grad Celsius."),
    ("de", "5 km, 100 km/h, 5 %", "5 Kilometer, 100 Kilometer pro Stunde, 5 Prozent"),
    ("de", "1 km, 1 h, 1 %", "ein Kilometer, eine Stunde, ein Prozent"),
    ("fr", "Il fait 22,1 °C, 5 km.", "Il fait 22,1 degrés Celsius, 5 kilomètres."),
    ("fr", "-5 °C", "moins 5 degrés Celsius"),
    ("es", "22,1 °C, 5 km, 1 kg", "22,1 grados Celsius, 5 kilómetros, un kilogramo"),
    ("pl", "1 km, 2 km, 5 km", "1 kilometr, 2 kilometry, 5 kilometrów"),
    ("ru", "5 km", "5 километров"),
]

RANGES = [
    ("en", "See pages 5-7.", "See pages 5 to 7."),
    ("en", "10–20, 1990-1995, 5 – 7", "10 to 20, 1990 to 1995, 5 to 7"),
    ("en", "5-3=2, 5 - 3 = 2, 50-50", "5 minus 3=2, 5 minus 3 = 2, 50 50"),
    ("en", "a 3-5-year-old", "a 3 to 5-year-old"),
    ("en", "4-4-2, 978-3-16-148410-0", "4 4 2, 978 3 16 148410 0"),
    ("en", "COVID-19, F-16, 5 - 3, 2024-05, x-5", "COVID-19, F-16, 5 - 3, 2024-05, x-5"),
    ("de", "Seiten 5-7", "Seiten 5 bis 7"),
    ("fr", "pages 5-7", "pages 5 à 7"),
    ("es", "páginas 5-7", "páginas 5 a 7"),
    ("pl", "5-7", "5-7"),
]

ORDINALS = [
    ("en", "World War II, Chapter IV.", "World War 2, Chapter 4."),
    ("en", "Henry VIII and Elizabeth II", "Henry the eighth and Elizabeth the second"),
    ("en", "an IV drip, I, XL, Malcolm X, the 21st", "an IV drip, I, XL, Malcolm X, the 21st"),
    ("de", "Am 3. Mai, der 2. Weltkrieg", "Am dritten Mai, der zweite Weltkrieg"),
    ("de", "Vom 3. bis 5. Mai. 3. Mai 2024", "Vom dritten bis fünften Mai. dritter Mai 2024"),
    ("de", "im 19. Jahrhundert, der II. Weltkrieg", "im neunzehnten Jahrhundert, der zweite Weltkrieg"),
    ("de", "Es sind 3. Dann gehen wir.", "Es sind 3. Dann gehen wir."),
    (
        "fr",
        "Le XXIe siècle, la 2e fois, la Ve",
        "Le vingt-et-unième siècle, la deuxième fois, la cinquième",
    ),
    ("fr", "Louis XIV, le 1er, Vie", "Louis 14, le 1er, Vie"),
    ("es", "El 3.º, la 3.ª, 22 ºC, Felipe VI", "El tercero, la tercera, 22 ºC, Felipe 6"),
    ("nl", "de 21e eeuw", "de eenentwintigste eeuw"),
    ("pl", "Jan III", "Jan III"),
]

SIGNS = [
    ("en", "You are #1.", "You are number 1."),
    ("en", "It takes ~5 minutes, ≈ $20.", "It takes about 5 minutes, about 20 dollars."),
    ("en", "No. 5", "number 5"),
    ("en", "#tag, a~b, &#39;", "#tag, a~b, &#39;"),
    ("de", "#1, ~5 Minuten", "Nummer 1, etwa 5 Minuten"),
    ("de", "Nr. 5", "Nummer 5"),
    ("fr", "n° 1, ~5 minutes", "numéro 1, environ 5 minutes"),
    ("es", "nº 1, ~5 minutos", "número 1, unos 5 minutos"),
]

ADDRESSES = [
    ("en", "Write to jo.x_y@my-shop.com.", "Write to jo dot x underscore y at my dash shop dot com."),
    ("en", "@you, a@b", "@you, a@b"),
    ("de", "info@test.de", "info ät test Punkt de"),
    ("fr", "info@test.fr", "info arobase test point fr"),
    ("es", "info@test.es", "info arroba test punto es"),
]


@pytest.mark.parametrize(
    ("language", "written", "words"),
    [*PRICES, *TIMES, *DATES, *PHONES, *FRACTIONS, *QUANTITIES, *RANGES, *ORDINALS, *SIGNS, *ADDRESSES],
)
def test_it_is_read(language: str, written: str, words: str) -> None:
    assert read(written, language) == words


@pytest.mark.parametrize("language", [*WORDS, "pl", "te", "xx", None])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello there.",
        "I have 42 of them.",
        "3.5 is 1,000.",
        "Version 1.2.3 of 2024.",
        "7",
        "\ud83d 7",
    ],
)
def test_what_a_voice_reads_itself_stays(text: str, language: str | None) -> None:
    assert spoken_form(text, language) is None


@pytest.mark.parametrize("language", ["xx", "", "not a code", None])
def test_a_language_that_is_not_known_changes_nothing(language: str | None) -> None:
    assert spoken_form("It costs $49.95 at 8:00.", language) is None


def test_a_variety_is_read_as_its_language() -> None:
    assert read("$5", "en-gb") == "5 dollars"


@pytest.mark.parametrize("language", ["en", "de", "pl", "ar", "hi", "te", "zh", "ja"])
def test_every_unit_and_currency_has_a_name(language: str) -> None:
    locale = Locale.parse(language)
    for unit in UNITS.values():
        assert format_unit(2, unit, "long", locale=locale)
    for currency in CURRENCIES.values():
        assert get_currency_name(currency, 2, locale) != currency


def test_every_word_is_there_in_every_language() -> None:
    english = WORDS["en"]
    for words in WORDS.values():
        assert words.coins.keys() == english.coins.keys()
        assert {2, 3, 4, 5, 6, 8} <= words.parts.keys()
        assert {"K", "M", "B"} <= words.scales.keys()
        phrases = [*words.parts.values(), *(form for coin in words.coins.values() for form in coin)]
        assert all("{}" in many for _, many in phrases)


class TestPlaces:
    """Positions of the words in the written text, for the ledger of what was heard."""

    @pytest.mark.parametrize(
        ("spoken", "written"),
        [
            ("It", "It"),
            ("costs", "costs"),
            ("49", "$49.95"),
            ("cents", "$49.95"),
            ("now", "now"),
            ("5", "5 km"),
        ],
    )
    def test_of_a_word(self, spoken: str, written: str) -> None:
        text = "It costs $49.95 now, 5 km on."
        form = spoken_form(text, "en")
        assert form is not None
        assert form.text == "It costs 49 dollars and 95 cents now, 5 kilometers on."
        assert form.written_at(form.text.rindex(spoken)) == text.index(written)

    def test_of_the_end(self) -> None:
        form = spoken_form("$5", "en")
        assert form is not None
        assert form.written_at(len(form.text)) == len("$5")


def test_it_costs_little() -> None:
    """Under 1 ms for a sentence with forms; for one without digits, what a search for them costs."""
    plain = "Well, I can help you with that, and then we will see what else there is to do today. "
    forms = "It costs $49.95 at 8:00 on 2024-05-03, or 5 km for 1/2 of 3-5 people at #1. "
    taken = {}
    for text in (plain, forms):
        spoken_form(text, "en")
        times = []
        for _ in range(20):
            begin = time.thread_time()
            spoken_form(text, "en")
            times.append(time.thread_time() - begin)
        taken[text] = min(times)
    assert taken[plain] < 0.0001
    assert taken[forms] < 0.005


@pytest.mark.parametrize(
    "text",
    [
        "$1,",
        "1-",
        "1/2 ",
        "Xx ",
        "VI",
        "Aa II ",
        "a.",
        "a@",
        "+1 2 ",
        "1 000 ",
        "1:",
        "5-5-",
        "11",
        "0.1,",
    ],
)
def test_ten_thousand_characters_take_no_time(text: str) -> None:
    begin = time.thread_time()
    for language in ("en", "fr"):
        spoken_form(text * (10_000 // len(text)) + "1@", language)
    assert time.thread_time() - begin < 3


@pytest.mark.parametrize("language", [*WORDS, "pl", "ar", "hi"])
def test_nonsense_is_read_or_stays(language: str) -> None:
    """Three hundred texts of pieces of written forms; what is replaced lies in order, side by side."""
    rng = random.Random(language)
    pieces = [
        *"0123456789 $€£¥%°#~@./:,-–−()'\"½¼IVX", " km", "am", " p.m.", "24", "2024", "05", " 1/2", "e",
        "\ud83d", "٣", "1" * 5000, "M", " Mio. €", "Uhr", " am ", "Mai", "USD", "/h", "\u202f000", "https://",
    ]  # fmt: skip
    forms = forms_of(language)
    assert forms is not None
    for _ in range(300):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 14)))
        end = 0
        for edit in forms.edits(text):
            assert end <= edit.start < edit.end <= len(text)
            end = edit.end
        form = spoken_form(text, language)
        if form is not None:
            places = [form.written_at(place) for place in range(len(form.text) + 1)]
            assert places == sorted(places)
            assert places[-1] <= len(text)


MISREAD = [
    ("It was in the 1990s.", "en-us", "nˈaɪnti z"),
    ("Read of World War II.", "en-us", "ɹˌoʊmən"),
    ("Es war am 3. Mai.", "de", "dɾˈaɪ mˈaɪ"),
    ("C'est la 3e fois.", "fr-fr", "tʁwˈa ˈə"),
    ("It costs $49.95.", "en-us", "dˈɑːlɚ f"),
    ("You pay $1,234.56 in all.", "en-us", "dˈɑːlɚ w"),
    ("He made $3M.", "en-us", "dˈɑːlɚ θ"),
    ("We open at 8:00.", "en-us", "zˈiəɹoʊ"),
    ("It is due on 2024-05-03.", "en-us", "dˈæʃ"),
    ("Call 555-123-4567.", "en-us", "hˈʌndɹɪd"),
    ("Take 1/2 cup.", "en-us", "slˈæʃ"),
    ("It is 5 km away.", "en-us", "kˌeɪˈɛm"),
    ("See pages 5-7.", "en-us", "dˈæʃ"),
    ("You are #1.", "en-us", "hˈæʃ"),
    ("It takes ~5 minutes.", "en-us", "tˈɪldə"),
]


def phonemes(text: str, voice: str) -> str:
    return " ".join(
        spoken.replace("^", "") for _, spoken in espeak_library().phonemes(text, voice, ipa=True)
    )


@pytest.mark.parametrize(("text", "voice", "wrong"), MISREAD)
def test_espeak_reads_it(text: str, voice: str, wrong: str) -> None:
    assert wrong in phonemes(text, voice)
    assert wrong not in phonemes(read(text, voice), voice)


@pytest.mark.parametrize(
    ("text", "voice", "right"),
    [
        ("Die Temperatur beträgt 22,1 °C.", "de", "kˌɔmɑː"),
        ("Il fait 22,1 degrés.", "fr-fr", "viʁɡyl"),
        ("Son 22,1 grados.", "es", "koma"),
    ],
)
def test_decimal_commas_stay_right(text: str, voice: str, right: str) -> None:
    assert right in phonemes(read(text, voice), voice)
