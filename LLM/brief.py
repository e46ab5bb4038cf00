"""Brief answers: cuts an answer after a number of whole sentences."""

import re
from collections.abc import Generator
from contextlib import closing

from LLM.sentences import split_sentences

_END = re.compile(r"[.!?…][\"'”’)]*\s*$|[^\s:,;][^\S\n]*\n\s*$")
"""The end of a sentence, or of a line that does not introduce the next one."""

_CLAUSE = re.compile(r"\w.*[,;:—–]\s*$", re.DOTALL)
"""A clause that will be continued."""

_CLAUSES = re.compile(r"(?<=[,;:—–])\s+(?=\S)")


def sentences_of(
    pieces: Generator[str, None, None], language: str | None, most: int | None
) -> Generator[str, None, None]:
    """The sentences of an answer that arrives in pieces, as `split_sentences` cuts them: the first
    `most`, or all if that is None."""
    texts = split_sentences(pieces, language)
    return texts if most is None else _first_sentences(texts, most)


def _first_sentences(texts: Generator[str, None, None], count: int) -> Generator[str, None, None]:
    """Yield the first `count` sentences of an answer that `split_sentences` has cut. The answer ends
    before a sentence that would be a repetition.

    An answer that stops in mid-sentence, as at the limit of its length, ends with its last whole
    sentence; if it has none, with its last whole clause. Closing this generator closes `texts`.
    """
    said: set[str] = set()
    sentence = held = ""  # the sentence so far, and the part of it that was not yielded yet
    with closing(texts):
        for text in texts:
            sentence, held = sentence + text, held + text
            if not sentence.strip():
                sentence = held = ""  # blank lines at the beginning
            elif _END.search(sentence):
                words = " ".join(re.findall(r"\w+", sentence.lower()))
                if words in said:
                    return
                yield held
                said.add(words)
                if len(said) == count:
                    return
                sentence = held = ""
            elif not said and held == sentence and _CLAUSE.search(sentence):
                yield held
                held = ""
    if not said:
        *clauses, cut = _CLAUSES.split(held)
        rest = held[: len(held) - len(cut)] if clauses or held != sentence else held
        if rest := rest.rstrip(" ,;:—–\n"):
            yield f"{rest}."
