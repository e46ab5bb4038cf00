"""Texts from outside are valid Unicode before anything else sees them."""

import json

import pytest

from pipeline.words import WellFormedJSONPieces, well_formed, well_formed_json


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain", "plain"),
        ("तेलुगु 😀", "तेलुगु 😀"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a�"),
        ("\ude00\ud83d", "��"),
        ("\ud83d\ud83d\ude00", "�😀"),
    ],
)
def test_half_a_character_is_replaced(text: str, whole: str) -> None:
    assert well_formed(text) == whole
    sent = json.dumps({"text": text, text: [text]})
    assert json.loads(well_formed_json(sent)) == {"text": whole, whole: [whole]}


@pytest.mark.parametrize(
    ("sent", "whole"),
    [
        (r'"\uD83D"', '"�"'),
        (r'"\uDE00 \u00e9\n"', r'"� \u00e9\n"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\\\ud83d"', r'"\\�"'),
        (r'"\ud83d\u0041"', r'"�\u0041"'),
        (r'"\ud83', r'"\ud83'),
        ("\\", "\\"),
        (r'"\ud83d\ud83d\ude00\ud83d', '"�\\ud83d\\ude00�'),
        ("\\ud83d\\", "�\\"),
    ],
)
def test_other_escapes_stay(sent: str, whole: str) -> None:
    assert well_formed_json(sent) == whole
    for length in range(1, len(sent)):
        pieces = WellFormedJSONPieces()
        texts = [pieces.add(sent[at : at + length]) for at in range(0, len(sent), length)]
        assert "".join((*texts, pieces.rest())) == whole
