"""Cuts the stream of a language model into pieces that can be spoken while the rest is still coming."""

import re
from collections.abc import Generator, Iterator
from contextlib import closing

import sentencex

_MAY_END = re.compile(r"[\s.!?…。！？｡।॥؟:;,，、；：]")
"""Characters one of which ends every sentence or clause: a piece without them needs no further look."""

_CLAUSE_END = re.compile(r"[,;:—–](?=\s+\S)|[，、；：](?=\S)")
"""The end of a clause, with text after it: "3,500" and "12:30" have none."""

_LIST_MARKER = re.compile(r"\s*(\d+[.)]|[-*+•])[ \t]*")
"""The marker of a list item, which belongs to the text after it."""

_OPENING = re.compile(r"(?:(?<=\s)[“„‘«(\[「『\"]|(?<=[。！？])[“‘「『])+[^\S\n]*\Z")
"""Quotes and brackets that open after the end of a sentence: they belong to the next one."""

_UNSURE = re.compile(r"(?:\d|\b[^\W\d_]|\.[^\W\d_]+)\.[^\S\n]*\Z")
"""A stop after a digit, an initial or an abbreviation with stops: the next word tells whether it ends a
sentence ("am 3. Mai", "U. S.", "5 p.m. Then")."""

_WHOLE_WORD = re.compile(r"\W*\w+\W")
"""A word that has ended, since another character follows it."""

FIRST_CLAUSE_CHARS = 16
"""The first piece may end at a clause of this length ("I can help you, …"). It takes about a second to
speak, long enough for the rest of the sentence to arrive."""

FIRST_CLAUSE_WIDE_CHARS = 6
"""`FIRST_CLAUSE_CHARS` for scripts in which a character is a syllable or a word."""

MAX_CHARS = 300
"""A text without punctuation is cut here, between two words where there are any: twenty seconds of
speech."""


def split_sentences(
    pieces: Generator[str, None, None] | Iterator[str], language: str | None
) -> Generator[str, None, None]:
    """Yield the sentences of a text that comes piece by piece; joined they are the text again.

    A sentence goes out when the next one begins, which is what tells "3." from "3.5" and "Dr." from an
    end; after a number or an abbreviation, when the first word of the next one is whole. A line that
    ends goes out at once. The very first may go out at the end of a clause. Closing this generator
    closes `pieces`.
    """
    buffer = ""
    first = True
    with closing(_closeable(pieces)) as source:
        for piece in source:
            buffer += piece
            if not _MAY_END.search(piece) and len(buffer) <= MAX_CHARS:
                continue
            *complete, buffer = segments(buffer, language)
            if complete and _UNSURE.search(complete[-1]) and not _WHOLE_WORD.match(buffer):
                buffer = complete.pop() + buffer
            if first and not any(map(str.strip, complete)):
                clause, buffer = _cut_clause(buffer)
                complete.append(clause)
            if len(buffer) > MAX_CHARS:
                cut = buffer.rfind(" ") + 1 or MAX_CHARS
                complete.append(buffer[:cut])
                buffer = buffer[cut:]
            for sentence in complete:
                if sentence:
                    first = first and not sentence.strip()
                    yield sentence
        yield from filter(None, segments(buffer, language))


def segments(text: str, language: str | None) -> list[str]:
    """The sentences and lines of `text`; the last one has not ended."""
    found: list[str] = []
    for sentence in sentencex.segment(language or "en", text):
        for line in sentence.splitlines(keepends=True):
            if found and _LIST_MARKER.fullmatch(found[-1]):
                line = found.pop() + line
            elif found and (opening := _OPENING.search(found[-1])):
                found[-1], line = found[-1][: opening.start()], opening[0] + line
            found.append(line)
    if not found or found[-1].endswith("\n"):
        found.append("")
    return found


def _cut_clause(text: str) -> tuple[str, str]:
    """The part of `text` up to the end of its last clause, if that is long enough, and the rest."""
    ends = [match.end() for match in _CLAUSE_END.finditer(text)]
    if ends:
        wide = ord(text[ends[-1] - 1]) >= 0x3000
        if ends[-1] >= (FIRST_CLAUSE_WIDE_CHARS if wide else FIRST_CLAUSE_CHARS):
            return text[: ends[-1]], text[ends[-1] :]
    return "", text


def _closeable(pieces: Iterator[str]) -> Generator[str, None, None]:
    if isinstance(pieces, Generator):
        return pieces
    return (piece for piece in pieces)
