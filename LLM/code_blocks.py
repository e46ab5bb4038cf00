"""Leaves code blocks out of an answer while it streams: a listener cannot follow code."""

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

_MARKS = r"(?:[ \t]*(?:>|(?:[-*+•]|\d{1,9}[.)])(?=[ \t])))*[ \t]*"
_PREFIX = re.compile(_MARKS)
"""Marks of quotes and list items, and indentation: the text of a line begins after them."""

_UNDECIDED = re.compile(rf"{_MARKS}(?:[-*+•]|\d{{1,9}}[.)]?)?(?:`*|~*)")
"""The beginning of a line that may still get a fence."""

_RUN = re.compile(r"`{3,}|~{3,}")
_RUN_BEGINS = re.compile(r"(?:`+|~+)$")

_OPTIONS = r"[\w+#.-]*(?:[ \t]*\{[^`}]*\}|[ \t]+[\w-]+=[^\s`]+)*"
_INFO = re.compile(rf"{_OPTIONS}[ \t\r]*")
"""The language and options of a block, as they follow a fence that opens after words."""
_INFO_SO_FAR = re.compile(rf"{_OPTIONS}(?:[ \t]*\{{[^`}}]*|[ \t]+[\w-]*=?)?[ \t\r]*")

_LANGUAGE = re.compile(r"[a-z][a-z0-9+#-]*[ \t\r]*")
"""The language of a block within a block."""

_HOLDS_FENCES = ("md", "markdown", "mdx")
"""Languages whose code may contain code blocks."""


@dataclass
class _Block:
    """The block of code that is open."""

    run: str
    """Its fence."""
    holds_fences: bool
    quoted: bool
    indent: int
    """Columns before the text of the list item that contains the block."""
    stays_inside: bool | None = None
    """True if its first line has the marks or the indentation of its container; the block then ends
    where the container does. Models often omit both."""
    depth: int = 1

    @property
    def fence(self) -> str:
        """A pattern for the fences that may close it."""
        return rf"{self.run[0]}{{{len(self.run)},}}"


class _CodeFilter:
    """Takes a text piece by piece, and returns it without its code blocks.

    Fences are those of CommonMark, and others that models write: opened after words, closed at the end
    of a line of code, or followed by words. A block that is not closed ends with the text. A block is
    replaced by the end of the line that opened it.
    """

    def __init__(self) -> None:
        self._text = ""
        """Text that may or may not be code: more of it is needed."""
        self._line = ""
        """The part of the current line that was returned."""
        self._in_span = False
        """True inside inline code that three backticks opened."""
        self._block: _Block | None = None

    def feed(self, piece: str, *, last: bool = False) -> str:
        """Take the next piece. Returns the text that is known not to be code."""
        self._text += piece
        prose = ""
        while True:
            block = self._block
            prose += self._take_prose(last) if block is None else self._skip_code(block, last)
            if self._block is block:
                return prose

    # -- outside a block ---------------------------------------------------------------------------

    def _take_prose(self, last: bool) -> str:
        prose = ""
        while run := _RUN.search(self._text):
            if run.end() == len(self._text) and not last:
                break  # it may become longer
            if begin := self._text.rfind("\n", 0, run.start()) + 1:
                prose += self._give(begin)
                continue
            before = self._text[: run.start()]
            at_start = not self._line and _PREFIX.fullmatch(before) is not None
            opens = self._opens(run, at_start, last)
            if opens is None:
                return prose + self._give(0 if at_start else run.start())
            if opens:
                prose += self._give(0 if at_start else run.start())
                return prose + self._open(run[0], before if at_start else "")
            prose += self._give(run.end())
            if run[0][0] == "`":
                self._in_span = not self._in_span
        return prose + self._give(len(self._text) if last else self._decided())

    def _opens(self, run: re.Match[str], at_start: bool, last: bool) -> bool | None:
        """True if a run of backticks or tildes opens a block; None: the rest of the line decides."""
        rest, newline, _ = self._text[run.end() :].partition("\n")
        backticks = run[0][0] == "`"
        if (self._in_span and backticks and not at_start) or run[0][:3] in rest:
            return False
        if at_start and newline:
            return True
        whole = last or bool(newline)
        plausible = (_INFO if whole else _INFO_SO_FAR).fullmatch(rest) is not None
        if not at_start and not rest.strip():
            plausible = backticks or not whole
        elif not at_start:
            follows_space = (self._line + self._text[: run.start()])[-1:].isspace()
            plausible = plausible and not rest[0].isspace() and (backticks or follows_space)
        if whole:
            return plausible
        return None if plausible or at_start else False

    def _open(self, run: str, prefix: str) -> str:
        """Begin a block with the fence at the start of the text. Returns the end of that line."""
        opening, newline, self._text = self._text.partition("\n")
        info = opening[opening.index(run) + len(run) :].split()
        holds_fences = bool(info) and info[0].lower() in _HOLDS_FENCES
        indent = len(prefix.rpartition(">")[2].expandtabs(4))
        self._block = _Block(run, holds_fences, ">" in prefix, indent)
        self._line, self._in_span = "", False
        return newline

    def _decided(self) -> int:
        """The number of characters that cannot be part of a fence."""
        begin = self._text.rfind("\n") + 1
        if (begin or not self._line) and _UNDECIDED.fullmatch(self._text, begin):
            return begin
        run = _RUN_BEGINS.search(self._text)
        return run.start() if run else len(self._text)

    def _give(self, length: int) -> str:
        given, self._text = self._text[:length], self._text[length:]
        *ended, open_line = given.split("\n")
        for end in ended:
            if not (self._line + end).strip():
                self._in_span = False  # a paragraph ends, and inline code with it
            self._line = ""
        self._line += open_line
        return given

    # -- inside a block ----------------------------------------------------------------------------

    def _skip_code(self, block: _Block, last: bool) -> str:
        """Skip whole lines of code, up to the end of the block."""
        while self._text:
            line, newline, following = self._text.partition("\n")
            prose = self._prose_behind(block, line, whole=last or bool(newline))
            if prose is None:
                if newline or last:
                    self._text = following
                    continue
                return ""
            self._block = None
            self._text = prose.lstrip() + newline + following if prose.strip() else following
            return ""
        return ""

    def _prose_behind(self, block: _Block, line: str, *, whole: bool) -> str | None:
        """The part of a line after the end of the block; None if the block does not end here, or if the
        line is not `whole` and more is needed."""
        bare = line.lstrip(" \t>" if block.quoted else " \t")
        if not bare:
            return None
        margin = line[: len(line) - len(bare)]
        inside = ">" in margin if block.quoted else len(margin.expandtabs(4)) >= block.indent
        if block.stays_inside is None:
            block.stays_inside = inside
        if fence := re.match(block.fence, bare):
            return _behind_fence(block, bare[fence.end() :], whole=whole)
        if bare[0] == block.run[0] and not whole:
            return None
        if block.stays_inside and not inside:
            return line
        return _behind_code(block, bare) if whole and block.run[0] == "`" else None


def _behind_fence(block: _Block, rest: str, *, whole: bool) -> str | None:
    """The words after a fence at the beginning of a line of code. A single lowercase word is a
    language: another block begins."""
    if rest.strip() and not _LANGUAGE.fullmatch(rest):
        return rest
    if not whole:
        return None
    if rest.strip():
        block.depth += block.holds_fences
        return None
    block.depth -= 1
    return None if block.depth else ""


def _behind_code(block: _Block, line: str) -> str | None:
    """The words after a fence in the middle of a line of code. Fences in pairs, or after a quote mark,
    are part of the code."""
    fences = list(re.finditer(block.fence, line))
    if len(fences) % 2 == 0 or line[fences[-1].start() - 1] in "\"'":
        return None
    rest = line[fences[-1].end() :]
    return rest if not rest or rest[0].isspace() else None


def without_code(pieces: Generator[str, None, None]) -> Generator[str, None, None]:
    """Yield the text that comes piece by piece, as soon as it is known to be outside code blocks.
    Closing this generator closes `pieces`."""
    code = _CodeFilter()
    with closing(pieces):
        for piece in pieces:
            if prose := code.feed(piece):
                yield prose
    if prose := code.feed("", last=True):
        yield prose
