"""Loops are told from speech that repeats a word."""

import pytest

from STT.loops import is_loop


@pytest.mark.parametrize(
    "phrase", ["Beep ", "The first is ", "I'm going to put it on the back of the car. "]
)
def test_a_phrase_without_end(phrase: str) -> None:
    assert is_loop(phrase * 20)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no, no, no, no, no, no, no.",
        "One two three four five six seven eight nine ten.",
        "Ask not what your country can do for you, ask what you can do for your country.",
    ],
)
def test_speech_that_repeats_itself(text: str) -> None:
    assert not is_loop(text)
