"""A model's thoughts before its answer, which are neither read aloud nor remembered."""

import re
from collections.abc import Generator, Iterable
from typing import TypeAlias

from pipeline.messages import Notice, ToolCall

OPEN, CLOSE = "<think>", "</think>"
"""The tags of Qwen, DeepSeek, SmolLM and the like."""

_TAG = re.compile(f"{OPEN}|{CLOSE}")

Piece: TypeAlias = str | ToolCall | Notice


def without_thoughts(answer: Iterable[Piece]) -> Generator[Piece, None, None]:
    """Yield the answer, as it comes, without the text between the tags and the space that follows.

    A tag may come in several pieces. A thought that is not closed ends with the answer. If only the
    closing tag comes, the text before it was a thought, too, and no more of it is passed on.
    """
    text, thinking, begins = "", False, False
    for piece in answer:
        if not isinstance(piece, str):
            yield piece
            continue
        text += piece
        while tag := _TAG.search(text):
            before = text[: tag.start()].lstrip() if begins else text[: tag.start()]
            if before and tag[0] == OPEN and not thinking:
                yield before
            thinking, begins = tag[0] == OPEN, True
            text = text[tag.end() :]
        kept = len(text) - _half_a_tag(text)
        ready, text = text[:kept], text[kept:]
        if begins:
            ready = ready.lstrip()
        if ready and not thinking:
            begins = False
            yield ready
    if text and not thinking:
        yield text


class UnmarkedThoughts:
    """Marks thoughts for a server whose model begins every answer with a thought but without an opening
    tag, because its template has already opened the thought. Each answer shows whether the next one
    needs this; if the very first answer is streamed, some of its thoughts are passed on."""

    def __init__(self) -> None:
        self._expected = False

    def mark(self, answer: Iterable[Piece]) -> Generator[Piece, None, None]:
        """The answer, with the opening tag that it lacks."""
        text, expected = "", self._expected
        for piece in answer:
            if isinstance(piece, str):
                if expected and not text:
                    yield OPEN
                text += piece
                if CLOSE in text:
                    self._expected = OPEN not in text.partition(CLOSE)[0]
            yield piece
        if text and CLOSE not in text:
            self._expected = False


def _half_a_tag(text: str) -> int:
    """Number of characters at the end of `text` that may begin a tag."""
    for length in range(min(len(CLOSE) - 1, len(text)), 0, -1):
        if OPEN.startswith(text[-length:]) or CLOSE.startswith(text[-length:]):
            return length
    return 0
