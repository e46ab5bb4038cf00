"""Text as eSpeak's phonemes need it."""

import pytest

from TTS.espeak_text import for_espeak


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wait... what?", "Wait, what?"),
        ("Wait…what?", "Wait, what?"),
        ("And so on...", "And so on..."),
        ("STOP IT NOW.", "stop it now."),
        ("The USA.", "The USA."),
        ("NASA, USA", "NASA, USA"),
        ("[[həlˈoʊ]] a[1]", " həlˈoʊ  a[1]"),
        ("a\0b", "a b"),
        ("It costs $3.50.", "It costs 3 dollars 50."),
        ("$1, €1.00, £1,000,000!", "1 dollar, 1 euro, 1,000,000 pounds!"),
        ("$3.5 million, or $5 billion", "3.5 million dollars, or 5 billion dollars"),
        ("$2.5", "2.5 dollars"),
        ("$, US$ and $x", "$, US$ and $x"),
    ],
)
def test_english(text: str, expected: str) -> None:
    assert for_espeak(text, "en") == expected


def test_amounts_are_left_to_other_languages() -> None:
    assert for_espeak("Das kostet $3.50.", "de") == "Das kostet $3.50."


def test_ten_thousand_characters_take_no_time() -> None:
    for text in ("$1," * 3000, ". " * 5000, "[" * 10_000, "." * 10_000, "1" * 10_000):
        assert len(for_espeak(text, "en")) <= 10 * len(text)
