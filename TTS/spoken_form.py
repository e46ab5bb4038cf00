"""SpokenForm: a text as it is read aloud, and the places of its words in the written text."""

import bisect
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

from babel.core import Locale, UnknownLocaleError

from pipeline.messages import AudioChunk
from TTS.worded_forms import WordedForms
from TTS.written_forms import WrittenForms
from TTS.written_words import WORDS

_HAS_FORMS = re.compile(r"[\d@¼-¾⅐-⅞]|\b[IVX]{2}|\b[IVX]e\b")
"""Found in every text with a written form."""


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    written: int
    """The position of its first character in the written text."""
    same: bool
    """True if it is unchanged; False: it replaces a written form."""


class SpokenForm:
    """A text in pieces, of which some replace written forms."""

    def __init__(self, pieces: Iterable[_Piece]) -> None:
        self._pieces = tuple(pieces)
        self._starts = tuple(accumulate((len(piece.text) for piece in self._pieces), initial=0))
        self.text = "".join(piece.text for piece in self._pieces)

    def written_at(self, chars: int) -> int:
        """The position in the written text for a position in this one. All words of a form are at its
        start, so it counts as heard only after the last of them."""
        number = max(bisect.bisect_right(self._starts, chars, hi=len(self._pieces)) - 1, 0)
        piece = self._pieces[number]
        return piece.written + (chars - self._starts[number] if piece.same else 0)

    def placed(self, chunk: AudioChunk) -> AudioChunk:
        """A chunk of this text with its words at their places in the written text."""
        words = tuple(replace(word, chars=self.written_at(word.chars)) for word in chunk.words)
        return replace(chunk, words=words)


def spoken_form(text: str, language: str | None) -> SpokenForm | None:
    """The text with its written forms in the words of a language; None if it has none that are known
    in the language."""
    forms = forms_of(language) if language and _HAS_FORMS.search(text) else None
    edits = list(forms.edits(text)) if forms else []
    if not edits:
        return None
    pieces, end = [], 0
    for edit in edits:
        pieces += [
            _Piece(text[end : edit.start], end, same=True),
            _Piece(edit.words, edit.start, same=False),
        ]
        end = edit.end
    return SpokenForm([*pieces, _Piece(text[end:], end, same=True)])


@functools.cache
def forms_of(language: str) -> WrittenForms | None:
    """The written forms of a language, by its code or that of a variety ("en-gb"); None if CLDR does not
    have it. Reads its data the first time."""
    language = language.partition("-")[0]
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return None
    words = WORDS.get(language)
    return WrittenForms(locale) if words is None else WordedForms(locale, words)
