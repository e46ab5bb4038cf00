"""Splitting a stream of pieces into sentences, in many languages, with the traps of real answers."""

import random
from collections.abc import Iterator

import pytest

from LLM.sentences import MAX_CHARS, split_sentences


def pieces(text: str, seed: int = 0) -> Iterator[str]:
    """A text as a language model streams it, a few characters at a time."""
    chance, start = random.Random(seed), 0
    while start < len(text):
        end = start + chance.randint(1, 6)
        yield text[start:end]
        start = end


def split(text: str, language: str | None = "en") -> list[str]:
    """The stripped sentences of a text; they must not depend on how it is cut into pieces."""
    results = [list(split_sentences(pieces(text, seed), language)) for seed in range(5)]
    assert all("".join(result) == text for result in results), "nothing is lost or added"
    return [sentence.strip() for sentence in results[0]]


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("en", "I am. You are.", ["I am.", "You are."]),
        ("en", "Dr. Smith met Mr. Jones. They talked.", ["Dr. Smith met Mr. Jones.", "They talked."]),
        ("en", "It costs $3.50. Pi is 3.14159.", ["It costs $3.50.", "Pi is 3.14159."]),
        ("en", "Wait... what? Yes!", ["Wait... what?", "Yes!"]),
        ("en", 'He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("en", "Use fruit, e.g. apples. Good.", ["Use fruit, e.g. apples.", "Good."]),
        ("en", "The U.S. is big. So is Asia.", ["The U.S. is big.", "So is Asia."]),
        ("en", "At 5 p.m. we met. It rained.", ["At 5 p.m. we met.", "It rained."]),
        ("en", "1. Milk\n2. Eggs\n- Tea\n", ["1. Milk", "2. Eggs", "- Tea"]),
        ("en", "1. **Milk** now.\n2. Eggs.", ["1. **Milk** now.", "2. Eggs."]),
        ("zh", "你好。今天很好！是吗？", ["你好。", "今天很好！", "是吗？"]),
        ("ja", "こんにちは。元気ですか？はい。", ["こんにちは。", "元気ですか？", "はい。"]),
        ("hi", "नमस्ते। आप कैसे हैं? ठीक।", ["नमस्ते।", "आप कैसे हैं?", "ठीक।"]),
        ("te", "నమస్కారం. ఎలా ఉన్నారు? బాగున్నాను।", ["నమస్కారం.", "ఎలా ఉన్నారు?", "బాగున్నాను।"]),
        ("en", "Hello 你好。今天很好。", ["Hello 你好。", "今天很好。"]),
        (None, "No language. Still fine.", ["No language.", "Still fine."]),
        ("en", "no end at all", ["no end at all"]),
        ("en", "", []),
    ],
)
def test_sentences(language: str | None, text: str, sentences: list[str]) -> None:
    assert split(text, language) == sentences


def test_a_sentence_goes_out_as_soon_as_the_next_one_begins() -> None:
    taken: list[str] = []

    def source() -> Iterator[str]:
        for piece in ("First sentence", ". ", "Second", " sentence.", " Third"):
            taken.append(piece)
            yield piece

    sentences = split_sentences(source(), "en")
    assert next(sentences) == "First sentence. "
    assert taken[-1] in ("Second", " sentence.")


def test_the_first_piece_may_end_at_a_clause() -> None:
    text = "I can help you with that, and it will not take long, I think. The rest, however, waits."
    assert split(text) == [
        "I can help you with that,",
        "and it will not take long, I think.",
        "The rest, however, waits.",
    ]
    assert split("Well, yes. No.") == ["Well, yes.", "No."], "too short to speak by itself"
    assert split("It is about 3,500 of them, I think.")[0] == "It is about 3,500 of them,"
    assert split("我当然可以帮助你，今天天气很好。", "zh")[0] == "我当然可以帮助你，"


def test_a_text_without_an_end_is_cut_between_words() -> None:
    sentences = split("word " * 200)
    assert len(sentences) > 2
    assert all(len(sentence) <= MAX_CHARS for sentence in sentences)
    assert all(set(sentence.split()) == {"word"} for sentence in sentences)


def test_a_text_without_spaces_is_cut_too() -> None:
    assert max(map(len, split("字" * 2000, "zh"))) <= MAX_CHARS


def test_closing_it_closes_the_source() -> None:
    closed = []

    def source() -> Iterator[str]:
        try:
            while True:
                yield "More words. "
        finally:
            closed.append(True)

    sentences = split_sentences(source(), "en")
    next(sentences)
    sentences.close()
    assert closed == [True]
