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
    ],
)
def test_it_is_what_espeak_reads_right(text: str, expected: str) -> None:
    assert for_espeak(text) == expected


def test_ten_thousand_characters_take_no_time() -> None:
    for text in (". " * 5000, "[" * 10_000, "." * 10_000, "1" * 10_000):
        assert len(for_espeak(text)) <= 2 * len(text)
