"""Interjections: listeners' words and hesitations are told from the words of a turn."""

import pytest

from pipeline.interjections import content_words, may_become_interjection


@pytest.mark.parametrize(
    ("text", "language", "answering", "count"),
    [
        ("Mm-hmm.", "en", True, 0),
        ("Oh, okay. I see!", "en", True, 0),
        ("Okay.", "en", False, 1),
        ("Ummm...", "en", False, 0),
        ("Uh, where is it?", "en", False, 3),
        ("I see the house.", "en", True, 2),
        ("Of course,", "en-auto", True, 0),
        ("Makes sense. All right!", "en", True, 0),
        ("Ach so, genau.", "de", True, 0),
        ("D’accord.", "fr", True, 0),
        ("はい。", "ja", True, 0),
        ("अच्छा", "hi", True, 0),
        ("సరే.", "te", True, 0),
        ("Okay.", "fi", True, 1),
        ("", "en", True, 0),
    ],
)
def test_what_is_left_of_a_text(text: str, language: str, answering: bool, count: int) -> None:
    assert len(content_words(text, language, answering=answering)) == count


@pytest.mark.parametrize(("text", "may"), [("I", True), ("Ri", True), ("Where", False), ("Hmm", True)])
def test_the_first_words_may_become_one(text: str, may: bool) -> None:
    assert may_become_interjection(text, "en") is may
