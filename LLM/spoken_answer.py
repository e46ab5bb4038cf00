"""SpokenAnswer: the words of one answer that are read aloud, and the reason why there are none."""

from collections.abc import Generator, Iterable

from LLM.code_blocks import without_code
from LLM.speakable import Speakable
from LLM.thoughts import Piece
from pipeline.errors import NothingHeard
from pipeline.messages import CONTENT_FILTER, MAX_OUTPUT_TOKENS, CutOff, ToolCall
from pipeline.words import has_words

_TOO_EARLY = {
    MAX_OUTPUT_TOKENS: "the language model reached its limit before the first word, as it does if it "
    "thinks for long; ask again, or raise --llm_gen_max_tokens",
    CONTENT_FILTER: "a content filter stopped the language model before the first word; ask in other "
    "words",
}
"""Reason of an end before the first word ▶ the error."""


class SpokenAnswer:
    """Follows one answer from the model to the voice.

    The steps are `output`, `prose` and `sentences`. At the end, `unheard` says why nothing was heard.
    """

    def __init__(self) -> None:
        self.text = ""
        """The answer as the model wrote it, without its thoughts."""
        self._prose = ""
        self._called = self._is_heard = False
        self._speakable = Speakable()

    def output(self, answer: Iterable[Piece]) -> Generator[Piece, None, None]:
        """Pass on the output of the model, without its thoughts. Raises `NothingHeard` if it was cut off
        before the first word."""
        is_empty, end = True, ""
        for piece in answer:
            self._called |= isinstance(piece, ToolCall)
            if isinstance(piece, CutOff):
                end = piece.reason
            elif isinstance(piece, str):
                is_empty = is_empty and not piece.strip()
            yield piece
        if is_empty and not self._called and end in _TOO_EARLY:
            raise NothingHeard(f"expected an answer, {_TOO_EARLY[end]}")

    def prose(self, pieces: Generator[str, None, None]) -> Generator[str, None, None]:
        """Pass on the text of the answer without code blocks."""
        for piece in without_code(self._noted(pieces)):
            self._prose += piece
            yield piece

    def sentences(self, texts: Iterable[str]) -> Generator[tuple[str, str], None, None]:
        """Yield each sentence that has words: as it is written and as it is spoken. The space before it
        belongs to it, so that paragraphs are not joined."""
        space = ""
        for text in texts:
            if spoken := self._speakable(text):
                yield space + text, spoken
                self._is_heard, space = True, ""
            elif self._is_heard and not text.strip():
                space += text

    @property
    def unheard(self) -> NothingHeard | None:
        """The reason why nothing is heard; None: something is, or the model wrote only thoughts. An
        answer that calls a function without words is complete: another one follows the result."""
        is_empty = not self.text.strip()
        if self._is_heard or is_empty or (self._called and not has_words(self.text)):
            return None
        if has_words(self.text) and not has_words(self._prose):
            why = "words to read aloud, got only code; ask for the answer in plain words"
        else:
            why = "words to read aloud, got an answer without any; ask again"
        return NothingHeard(f"expected {why}")

    def _noted(self, pieces: Generator[str, None, None]) -> Generator[str, None, None]:
        for piece in pieces:
            self.text += piece
            yield piece
