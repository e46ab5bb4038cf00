"""Answers that are cut after whole sentences."""

from collections.abc import Generator

import pytest

from LLM.brief import sentences_of


def brief(*pieces: str, count: int = 2) -> list[str]:
    """The answer, in the pieces in which it goes out."""
    return list(sentences_of((piece for piece in pieces), "en", count))


def letter_by_letter(text: str) -> str:
    """The answer to a text that comes one character at a time."""
    return "".join(brief(*text))


def test_it_ends_after_two_sentences() -> None:
    assert brief("One is. Two", " is. Three is. ") == ["One is. ", "Two is. "]
    assert brief("One is. Two is.", count=1) == ["One is. "]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 3.5 miles to Dr. Smith.", "It is 3.5 miles to Dr. Smith."),
        ("Yes! It is warm and", "Yes! "),
        ("There are many ways in which", "There are many ways in which."),
        ("First the water, then the rice, and", "First the water, then the rice."),
        ("\n\nIt is warm.", "It is warm."),
        ("Here it is:\n\nA cat sat.\n", "Here it is:\n\nA cat sat.\n"),
        ("A title\nA line. Another line.", "A title\nA line. "),
        ("I'm glad of you. I'm glad of you. I'm glad of you.", "I'm glad of you. "),
        ("I'm glad of you. I'm GLAD of you!", "I'm glad of you. "),
        ("", ""),
        (" \n ", ""),
        (",,,", ""),
        ('He said "go." Then he went. Then', 'He said "go." Then he went. '),
    ],
)
def test_an_answer_ends_with_a_whole_sentence(text: str, expected: str) -> None:
    assert letter_by_letter(text) == expected


def test_an_early_clause_is_not_followed_by_half_of_the_next() -> None:
    assert brief("After the long rain, we", " went and") == ["After the long rain,"]
    assert brief("After the long rain, we", " went, and") == ["After the long rain,", " we went."]


def test_the_first_clause_goes_out_before_the_sentence_ends() -> None:
    came: list[str] = []

    def pieces() -> Generator[str, None, None]:
        for piece in ("When the sun is up,", " we ", "go", " out."):
            came.append(piece)
            yield piece

    first = next(sentences_of(pieces(), "en", 2))
    assert first == "When the sun is up,"
    assert came == ["When the sun is up,", " we "]


def test_the_rest_is_not_asked_for() -> None:
    closed = []

    def pieces() -> Generator[str, None, None]:
        try:
            yield from ("One is. ", "Two is. ", "Three is. ", "Four is. ")
        finally:
            closed.append(True)

    assert len(list(sentences_of(pieces(), "en", 2))) == 2
    assert closed == [True]
