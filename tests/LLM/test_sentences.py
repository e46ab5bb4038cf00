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


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "It costs 3.5 percent. Yes."),
        ("en", "It is 3. 5 percent of it is gone."),
        ("en", "Mr. Smith, of the U.S. Army, came. Good."),
        ("en", "I.B.M. is big, e.g. in the U. S. of A. Ok."),
        ("en", "Well... yes. Wait... What?! Really?!? Yes."),
        ("en", "Smile :) now. Ok!) Yes. “Hi.” ‘Yes.’ No."),
        ("en", 'He said "Stop." Then he left. "Why?" No.'),
        ("en", "1. Milk 2. Eggs at 5:30. No. 5 is alive."),
        ("en", "See example.com or https://a.example.com/x.html?a=1. Next."),
        ("en", "It ended at 5 p.m. Then we left. It was in 1999. In 2000, no."),
        ("de", "Am 3. Mai kam er. Es kostet 3,5 Prozent. Er hat 10.000 Euro, z.B. für d.h. und so. Ja."),
        ("de", "Er sagte: „Halt.“ Dann ging er. Wilhelm II. kam."),
        ("fr", "Il dit, p. ex. à 5 h. Oui. « Non. » Il y en a 3. Le 1er mai."),
        ("es", "¿Qué hora es? Son las 5. El Sr. Pérez, EE. UU., vino. ¡No!"),
        ("zh", "你好。”他说。“再见！”3.5 元。好。"),
        ("te", "నమస్కారం. 3.5 శాతం. ఎలా ఉన్నారు? బాగున్నాను।"),
        (None, "It is 3.5 of 7. And no. 8 too."),
    ],
)  # fmt: skip
def test_wherever_a_text_is_cut_in_pieces_its_sentences_are_the_same(
    language: str | None, text: str
) -> None:
    whole = list(split_sentences(iter([text]), language))
    cuts = [[text[:cut], text[cut:]] for cut in range(1, len(text))]
    for pieces_of_it in (list(text), *cuts):
        told = list(split_sentences(iter(pieces_of_it), language))
        first, *rest = told
        if first not in whole:  # the first may go out at the end of a clause
            told = [first + rest[0], *rest[1:]]
        assert told == whole, pieces_of_it


@pytest.mark.parametrize(
    ("pieces_of_it", "sentences"),
    [
        (["It grew by 3", ".", "5 percent. ", "Good."], ["It grew by 3.5 percent. ", "Good."]),
        (["Er kommt am 3. ", "M", "ai. Gut."], ["Er kommt am 3. Mai. ", "Gut."]),
        (["He said. “", "Yes.” Then."], ["He said. ", "“Yes.” ", "Then."]),
        (["I have 3."], ["I have 3."]),
    ],
)
def test_a_number_or_a_quote_at_the_end_of_a_piece(
    pieces_of_it: list[str], sentences: list[str]
) -> None:
    assert list(split_sentences(iter(pieces_of_it), "de")) == sentences


def test_only_after_a_number_or_an_abbreviation_it_waits_for_a_whole_word() -> None:
    def taken_for_the_first(*pieces: str) -> int:
        source = iter(pieces)
        next(split_sentences(source, "en"))
        return len(pieces) - len(list(source))

    assert taken_for_the_first("It is late.", " Th", "en", " we", " go.") == 2
    assert taken_for_the_first("It is 5.", " Th", "en", " we", " go.") == 4
    assert taken_for_the_first("It is 5.\n", "Th", "en", " we", " go.") == 1


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
