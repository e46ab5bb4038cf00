"""The ledger of heard text: whole words, in proportion, never more than was sent."""

import pytest

from pipeline.ledger import SLOWEST_SPEECH_CHARS_PER_S, Ledger

RATE_HZ = 1000


def ledger_of(*texts: str, complete: bool = True) -> Ledger:
    """A ledger of texts, each 100 samples a character."""
    ledger, sample = Ledger(RATE_HZ), 0
    for text in texts:
        ledger.text_starts(text, sample)
        sample += 100 * len(text)
        ledger.audio_reaches(sample)
        if complete:
            ledger.text_ends()
    return ledger


@pytest.mark.parametrize(
    ("samples", "heard"),
    [
        (-100, ""),
        (0, ""),
        (200, ""),
        (300, "One"),
        (650, "One"),
        (799, "One"),
        (800, "One two."),
        (900, "One two."),
        (1300, "One two. Next"),
        (10**9, "One two. Next one."),
    ],
)
def test_a_word_counts_when_it_is_over(samples: int, heard: str) -> None:
    assert ledger_of("One two. ", "Next one.").heard(samples) == heard


def test_where_there_are_no_spaces_each_character_counts() -> None:
    assert ledger_of("你好今天").heard(250) == "你好"


def test_a_text_that_is_still_being_made_is_taken_for_longer() -> None:
    text = "One two three four"
    ledger = Ledger(RATE_HZ)
    ledger.text_starts(text, 0)
    ledger.audio_reaches(100)
    lasts_s = len(text) / SLOWEST_SPEECH_CHARS_PER_S
    assert ledger.heard(100) == ""
    assert ledger.heard(int(RATE_HZ * lasts_s * 0.6)) == "One two"
    assert ledger.text_is_open


def test_texts_are_announced_when_they_begin() -> None:
    ledger = ledger_of("ab", "cd")
    assert ledger.begun(200) == ["ab"]
    assert ledger.begun(201) == ["ab", "cd"]


def test_a_text_that_follows_completes_the_one_before() -> None:
    """An end-to-end model reports which text begins, not that one ends."""
    ledger = Ledger(RATE_HZ)
    ledger.text_starts("First, ", 0)
    ledger.audio_reaches(100)
    ledger.text_starts("second.", 100)
    ledger.audio_reaches(200)
    assert ledger.text_is_open
    assert ledger.heard(100) == "First,"
    ledger.text_ends()
    assert ledger.heard(200) == "First, second."


def test_where_the_synthesizer_tells_a_word_counts_when_the_next_begins() -> None:
    """Holds for any pause in the middle of the sentence."""
    ledger = Ledger(RATE_HZ)
    text = "Well, no matter."
    ledger.text_starts(text, 1000)
    for chars, sample in ((0, 1000), (6, 9000), (9, 9500)):
        ledger.word_starts(chars, len(text), sample)
    ledger.audio_reaches(12000)
    ledger.text_ends()
    heard = [ledger.heard(sample) for sample in (999, 1000, 8999, 9000, 9500, 11999, 12000)]
    assert heard == ["", "", "", "Well,", "Well, no", "Well, no", text]


def test_words_are_found_in_what_was_written_too() -> None:
    """Spoken: "Hello there friend"; written with markup, and so longer."""
    ledger = Ledger(RATE_HZ)
    ledger.text_starts("**Hello** there friend ", 0)
    for chars, sample in ((0, 0), (6, 100), (12, 200)):
        ledger.word_starts(chars, 18, sample)
    ledger.audio_reaches(300)
    ledger.text_ends()
    assert ledger.heard(50) == ""
    assert ledger.heard(250) == "**Hello** there"


def test_an_endless_reply_keeps_the_words_only() -> None:
    ledger, words = Ledger(100), [f" word{number}" for number in range(200)]
    told = 0
    for number, word in enumerate(words):
        ledger.text_starts(word, 100 * number)
        ledger.audio_reaches(100 * number + 100)
        ledger.text_ends()
        told += len(ledger.begun(100 * number + 1, told))
        ledger.forget(100 * number - 300, told)
        assert len(ledger._spans) <= 5
    assert told == 200
    assert ledger.heard(20_000) == "".join(words).strip()
    assert ledger.heard(19_950) == "".join(words[:-1]).strip()
