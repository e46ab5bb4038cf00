"""Texts from elsewhere become valid Unicode."""

import pytest

from pipeline.words import NO_CHARACTER, WellFormedPieces, well_formed

HIGH, LOW = "\ud83d", "\ude00"
TEXTS = {
    "": "",
    "plain": "plain",
    "a😀b": "a😀b",
    f"a{HIGH}{LOW}b": "a😀b",
    f"a{HIGH}b": f"a{NO_CHARACTER}b",
    f"a{LOW}b": f"a{NO_CHARACTER}b",
    f"{HIGH}{HIGH}{LOW}{LOW}": f"{NO_CHARACTER}😀{NO_CHARACTER}",
    f"a{HIGH}": f"a{NO_CHARACTER}",
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("length", [1, 2, 100])
def test_halves_of_characters(text: str, length: int) -> None:
    assert well_formed(text) == TEXTS[text]
    pieces = WellFormedPieces()
    together = [pieces.add(text[at : at + length]) for at in range(0, len(text), length)]
    assert "".join([*together, pieces.rest()]) == TEXTS[text]
    assert pieces.rest() == ""
