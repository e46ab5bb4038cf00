"""Written text is turned into text that can be spoken."""

import pytest

from LLM.speakable import Speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Plain text.", "Plain text."),
        ("This is **bold** and *this* and `code`.", "This is bold and this and code."),
        ("**A bold one that goes on.", "A bold one that goes on."),
        ("and ends here.** Yes.", "and ends here. Yes."),
        ("# A heading\n", "A heading"),
        ("- an item\n", "an item"),
        ("2. the second\n", "2. the second"),
        ("> a quote", "a quote"),
        ("See [the docs](https://example.org/a?b=c).", "See the docs."),
        ("It is at https://www.example.com/path/x?y=z.", "It is at example.com."),
        ("Well done 👍🏽! 😀", "Well done !"),
        ("Good 😀.", "Good."),
        ("❤️", ""),
        ("|a|b|\n", "a, b"),
        ("|---|---|\n", ""),
        ("---\n", ""),
        ("***", ""),
        ("AT&amp;T and 5 < 6", "AT&T and 5 < 6"),
        ("2 * 3 = 6", "2 * 3 = 6"),
        ("snake_case stays", "snake_case stays"),
        ("క్షమించండి", "క్షమించండి"),
        ("क्\u200dष", "क्\u200dष"),
        ("", ""),
        ("...", ""),
    ],
)
def test_a_piece(written: str, spoken: str) -> None:
    assert Speakable()(written) == spoken


def test_a_block_of_code_is_left_out() -> None:
    speakable = Speakable()
    assert speakable("```one line```") == "one line"
    lines = ["Here it is:\n", "```python\n", "print('Hello. ", "You.')\n", "```\n", "That is all."]
    assert [speakable(line) for line in lines] == ["Here it is:", "", "", "", "", "That is all."]


def test_halves_of_a_character_are_joined_or_left_out() -> None:
    speakable = Speakable()
    assert speakable("Half \ud83d of it") == "Half of it"
    assert speakable("A smile \ud83d\ude00 here") == "A smile here"
    assert speakable("\ud83d") == ""
