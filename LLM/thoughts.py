"""A model's thoughts, and other text that is not part of the words of its answer."""

import functools
import re
from collections.abc import Collection, Generator, Iterable, Iterator
from typing import TypeAlias

from LLM.marks import CALLS, OTHERS, REMOVED, THOUGHTS, Span
from LLM.written_calls import calls_in
from pipeline.errors import NothingHeard
from pipeline.messages import INVALID_CALL, CutOff, Notice, ToolCall

Piece: TypeAlias = str | ToolCall | Notice | CutOff
"""A piece of an answer."""

_OPENED = {span.opening: span for span in (*THOUGHTS, *CALLS)}
_CLOSED = {
    closing: span.opening for span in THOUGHTS for closing in span.closings if closing not in REMOVED
}
"""The end of a thought ▶ its beginning."""

_MARKS = {*_OPENED, *_CLOSED, *REMOVED, *OTHERS, *(end for span in CALLS for end in span.closings)}
_LONGEST = max(map(len, _MARKS))
_MARK = re.compile("|".join(re.escape(mark) for mark in sorted(_MARKS, key=len, reverse=True)))
_BEGINNINGS = {mark[:length] for mark in _MARKS for length in range(1, len(mark))}

_SENTENCE_END = re.compile(r"(?:[.!?…:。！？：।॥][\"'”’)*_]*|\n|^)[ \t]*\Z")
"""The end of a sentence or a line; the beginning of the answer counts, too."""


def without_thoughts(
    answer: Iterable[Piece], functions: Collection[str] = ()
) -> Generator[Piece, None, None]:
    """Yield the answer, as it comes, without the parts that are not meant for the user: thoughts and the
    space after them, end-of-turn marks, and function calls. Calls of `functions` are yielded as
    `ToolCall`.

    A mark may come in several pieces. In mid-sentence, the mark of a thought or a call is an
    ordinary word. If a thought ends that never began, the text before it was a thought, too: no more of
    it is passed on, unless there is nothing else. Raises `NothingHeard` if nothing is left of an answer
    that was not cut off.

    If the model begins to write the user's next turn, the answer is over: a generator is closed, so that
    the model does not write on to its limit.
    """
    words = _Words(functions)
    is_cut_off = False
    for piece in answer:
        if isinstance(piece, str):
            yield from words.add(piece)
            if words.over:
                if isinstance(answer, Generator):
                    answer.close()
                break
        else:
            words.called |= isinstance(piece, ToolCall)
            is_cut_off |= isinstance(piece, CutOff)
            yield piece
    yield from words.rest()
    if words.left_out and not (words.said or words.called or is_cut_off):
        raise no_words()


def opened_in(prompt: str) -> str:
    """The opening mark of a thought at the end of a prompt; empty if there is none."""
    marks = (span.opening for span in THOUGHTS if prompt.rstrip().endswith(span.opening))
    return next(marks, "")


def no_words() -> NothingHeard:
    """The error for an answer in which there is nothing to say."""
    return NothingHeard(
        "expected an answer of the language model, got only its thoughts or a function call in an "
        "unknown form; ask again, or try --llm_keep_thoughts"
    )


class _Words:
    """The words of one answer."""

    def __init__(self, functions: Collection[str]) -> None:
        self.said = self.left_out = False
        self.called = False
        """True if the model called a function, in the text or otherwise."""
        self.unopened = ""
        """The missing opening mark of a thought that ended without having begun; else empty."""
        self._functions = functions
        self._text = ""
        """The text that is not decided yet."""
        self._before = ""
        """The last characters that were passed on since the last mark."""
        self._span: Span | None = None
        """The thought or call that is open."""
        self._call = ""
        """The part of that call that is no longer in `_text`."""
        self._strips = False
        self.over = False
        """True once the model writes somebody else's turn."""
        self._dropped = ""
        """Text that was taken for a thought because of the mark behind it."""

    @property
    def went_on(self) -> bool:
        """True if words or a call came after the last thought."""
        return self.called or not self._strips

    def add(self, text: str) -> Iterator[str | ToolCall]:
        """Yield the words that are certain now."""
        self._text += text
        yield from self._read(last=False)

    def rest(self) -> Iterator[str | ToolCall]:
        """Yield the rest at the end of the answer."""
        yield from self._read(last=True)
        if self._dropped.strip() and not (self.said or self.called):
            self.said = True
            yield self._dropped

    def _read(self, *, last: bool) -> Iterator[str | ToolCall]:
        while not self.over:
            if self._span is not None:
                found = _ends(self._span).search(self._text)
                if found is None and not last:
                    self._skip()
                    return
                yield from self._leave(self._span, found)
                continue
            mark = _MARK.search(self._text)
            if mark is None or not (last or self._is_decided(mark)):
                yield from self._say(self._certain(mark, last=last))
                return
            if self._is_a_word(mark):
                yield from self._say(mark.end())
                continue
            yield from self._take(mark)

    def _certain(self, mark: re.Match[str] | None, *, last: bool) -> int:
        """Number of characters that can be passed on although the next mark is not complete."""
        if mark is not None:
            return 0 if mark[0] in _CLOSED else mark.start()
        return len(self._text) if last else len(self._text) - _half_a_mark(self._text)

    def _is_decided(self, mark: re.Match[str]) -> bool:
        """True if this cannot become a longer mark, and the character after it is known."""
        if self._text[mark.start() :] in _BEGINNINGS:
            return False
        is_sure = mark[0] not in _OPENED and mark[0] not in _CLOSED
        return is_sure or bool(self._text[mark.end() :].strip(" \t"))

    def _is_a_word(self, mark: re.Match[str]) -> bool:
        """True if the model mentions the mark instead of using it."""
        if "|" in mark[0] or not (mark[0] in _OPENED or mark[0] in _CLOSED):
            return False
        before, after = self._before + self._text[: mark.start()], self._text[mark.end() :]
        begins, following = _SENTENCE_END.search(before) is not None, after.lstrip(" \t")[:1]
        if mark[0] in _CLOSED:
            if before[-1:] in ("", "\n") or following == "\n":
                return False
            return not begins or following.islower() or following in tuple(".,;:!?)'\"`”’")
        if begins:
            return False
        is_call = after[:1].isalnum() or following in tuple("{[<\n")
        return _OPENED[mark[0]] in THOUGHTS or not is_call

    def _take(self, mark: re.Match[str]) -> Iterator[str]:
        """Act on a mark, and leave it out."""
        if mark[0] in _CLOSED:
            if self.left_out:
                yield from self._say(mark.start())
            else:
                self._dropped, self._text = self._text[: mark.start()], self._text[mark.start() :]
                self.unopened, self.left_out = _CLOSED[mark[0]], True
            self._begin_anew(len(mark[0]))
            return
        yield from self._say(mark.start())
        self._text = self._text[len(mark[0]) :]
        if mark[0] in _OPENED:
            self._span, self.left_out = _OPENED[mark[0]], True
        elif mark[0] in OTHERS:
            self.over, self._text = True, ""

    def _skip(self) -> None:
        """Skip the text of a thought or a call, except the end, which may be half of a mark."""
        if self._span in CALLS:
            self._call += self._text[: 1 - _LONGEST]
        self._text = self._text[1 - _LONGEST :]

    def _leave(self, span: Span, closing: re.Match[str] | None) -> Iterator[ToolCall]:
        """Go on behind the end of a thought or a call."""
        end, after = closing.span() if closing is not None else (len(self._text),) * 2
        if span in CALLS:
            for call in calls_in(self._call + self._text[:end], self._functions):
                self.called = True
                yield call
        self._span, self._call = None, ""
        self._begin_anew(after)

    def _begin_anew(self, after: int) -> None:
        self._text, self._before, self._strips = self._text[after:], "", True

    def _say(self, count: int) -> Iterator[str]:
        text, self._text = self._text[:count], self._text[count:]
        if self._strips:
            text = text.lstrip()
        if text:
            self._strips = False
            self._before = (self._before + text)[-8:]
            self.said = self.said or not text.isspace()
            yield text


class UnmarkedThoughts:
    """Marks thoughts for a server whose model begins every answer with a thought but without an opening
    mark, because its template has already opened the thought. This is expected of the next answer after
    two in a row: one alone may be what a user asked for. So if the first two answers are streamed, some
    of their thoughts are passed on.

    Such an answer is held until its thought ends. If no thought ends, it is passed on whole: since the
    model serves many users, a mistake may cost time, but no words. Only if it is cut off does it count
    as half a thought.
    """

    def __init__(self) -> None:
        self._expected = ""
        """The opening that the next answer will lack."""
        self._lacked = ""
        """The opening that the latest answer lacked."""

    def mark(self, answer: Iterable[Piece]) -> Generator[Piece, None, None]:
        """The answer, with its missing opening mark. An empty piece replaces each that is held,
        and shows that the model is working."""
        expected, held = self._expected, ""
        words, wrote, is_cut_off = _Words(()), False, False
        for piece in answer:
            if not isinstance(piece, str):
                words.called |= isinstance(piece, ToolCall)
                is_cut_off |= isinstance(piece, CutOff) and piece.reason != INVALID_CALL
                yield piece
                continue
            wrote = wrote or bool(piece)
            for _ in words.add(piece):
                pass
            if not expected:
                yield piece
            elif words.left_out:
                yield words.unopened + held + piece
                expected = ""
            else:
                held += piece
                yield ""
            if words.over:
                break
        for _ in words.rest():
            pass
        if expected and held:
            yield (words.unopened or (expected if is_cut_off else "")) + held
        lacked = words.unopened if words.went_on else ""
        if wrote and (lacked or not is_cut_off):
            self._expected = lacked if lacked == self._lacked else ""
            self._lacked = lacked


@functools.cache
def _ends(span: Span) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, span.closings)))


def _half_a_mark(text: str) -> int:
    """Number of characters at the end of `text` that may begin a mark."""
    for length in range(min(_LONGEST - 1, len(text)), 0, -1):
        if text[-length:] in _BEGINNINGS:
            return length
    return 0
