"""Agreement: the words of a growing transcript that will not change."""

import re

_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_WORD = re.compile(rf"[{_WIDE}]\s*|[^\s{_WIDE}]+\s*")
"""A word with the space after it; in scripts without spaces, a character."""

_INSIGNIFICANT = re.compile(r"[\W_]+")


class Agreement:
    """Local agreement: the words on which two transcripts in a row agree are stable, and stay as they
    were first written (LocalAgreement-2; Liu et al. 2020, Macháček et al. 2023, "whisper_streaming").

    Words are compared without case and punctuation, which change until the sentence is over.
    """

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._rest: list[str] = []
        self._settled = 0

    @property
    def stable(self) -> str:
        """The words that will not change; the text only grows."""
        return "".join(self._stable)

    @property
    def text(self) -> str:
        """The stable words, followed by the current guess."""
        return "".join((*self._stable, *self._rest))

    def add(self, transcript: str) -> None:
        """Add the next transcript of the audio that was not settled, which has grown."""
        known = len(self._stable) - self._settled
        following = _WORD.findall(transcript)[known:]
        agreed = 0
        while agreed < min(len(following), len(self._rest)) and _same(
            following[agreed], self._rest[agreed]
        ):
            agreed += 1
        self._stable += map(_spaced, following[:agreed])
        self._rest = following[agreed:]

    def settle(self) -> None:
        """Settle the words so far; the next transcript is of the audio that follows."""
        self._stable += map(_spaced, self._rest)
        self._rest = []
        self._settled = len(self._stable)


def _same(one: str, other: str) -> bool:
    return _INSIGNIFICANT.sub("", one).casefold() == _INSIGNIFICANT.sub("", other).casefold()


def _spaced(word: str) -> str:
    """The last word of a transcript has no space behind it, but another word may follow."""
    return word if re.match(f"[{_WIDE}]", word) else word.rstrip() + " "
