"""Text as Kokoro's phonemes: what eSpeak tells, written as in its training."""

import pytest

from pipeline.errors import EngineError
from TTS.kokoro_phonemes import TOKENS, clauses


@pytest.mark.parametrize(
    ("letter", "text", "expected"),
    [
        ("a", "Hello, how are you?", ["həlˈO,", "hˈW ɑɹ ju?"]),
        ("a", "The judge's choice: boys, water.", ["ðə ʤˈʌʤᵻz ʧˈYs:", "bˈYz,", "wˈɔTəɹ."]),
        ("b", "There, a bird.", ["ðˈɛː,", "ə bˈɜːd."]),
        ("e", "¿Hola, cómo estás?", ["ˈola,", "kˈomo estˈas?"]),
        ("f", "Un bon vin blanc.", ["œ̃ bˈɔ̃ vˈɛ̃ blˈɑ̃."]),
        ("h", "मैं ठीक हूँ।", ["mɛ\u0303 ʈʰˈiːk hu\u0303."]),
        ("i", "Ciao, pizza.", ["ʧˈao,", "pˈiʦːa."]),
        ("p", "Olá, coração.", ["olˈa,", "kˌoɾasˈɐ̃ʊ̃."]),
        ("j", "はい、げんきですか。", ["hai,", "ɡeŋkidesɯka."]),
        ("j", "ちょっと じかん", ["ʨotto ʥikaɴ"]),
        ("z", "你好，我叫小明。", ["ni↓xau↓,", "wo↓ ʨjau↘ ɕjau↓ mi↗ŋ."]),
        ("z", "中国", ["ꭧʊŋ→ kwo↗"]),
    ],
)
def test_languages(letter: str, text: str, expected: list[str]) -> None:
    assert list(clauses(text, letter)) == expected


def test_a_full_stop_of_an_abbreviation_ends_no_clause() -> None:
    assert list(clauses("Mr. Smith left.", "a")) == ["mˈɪstəɹ smˈɪθ lˈɛft."]
    assert list(clauses("It is 3.5. Thanks!", "a")) == ["ɪT ɪz θɹˈi pYnt fˈIv.", "θˈæŋks!"]


def test_english_words_are_kept_apart_and_i_is_stressed() -> None:
    """Otherwise Kokoro mumbles the one and swallows the other."""
    assert list(clauses("I am in the house.", "a")) == ["ˌI əm ɪn ðə hˈWs."]
    assert next(clauses("So I'm sure, said I.", "b")) == "sˌQ ˌIm ʃˈʊə,"
    assert list(clauses("An eye.", "a")) == ["ən ˈI."]


@pytest.mark.parametrize("mark", ".,;:!?—")
def test_punctuation_is_kept(mark: str) -> None:
    first, second = clauses(f"Yes{mark} go on", "a")
    assert first == f"jˈɛs{mark}"
    assert second[-1] not in ".,;:!?—"


def test_text_is_written_as_it_is_spoken() -> None:
    assert list(clauses("Wait... what? It is 3 dollars 50.", "a")) == [
        "wˈAt,",
        "wˌʌt?",
        "ɪT ɪz θɹˈi dˈɑləɹz fˈɪfti.",
    ]


@pytest.mark.parametrize("text", ["", " ", "...", "\0", "—", "\n\n"])
def test_a_text_without_words_has_none(text: str) -> None:
    assert not list(clauses(text, "a"))


@pytest.mark.parametrize("letter", "abefhipz")
def test_any_text_becomes_tokens(letter: str) -> None:
    text = '😀 漢字 かな नमस्ते \ud83d [[x]] <b> 10,000.50 $5 | _ ^ é \u0301 \u200d (so) "so" ' * 20
    spoken = list(clauses(text, letter))
    assert spoken
    assert set("".join(spoken)) <= set(TOKENS)


def test_kanji_are_refused() -> None:
    with pytest.raises(EngineError, match="expected Japanese in kana, got kanji"):
        list(clauses("東京", "j"))
