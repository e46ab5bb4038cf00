"""Brief answers: cuts an answer after a number of whole sentences."""

import re
from collections.abc import Generator, Iterator
from contextlib import closing

from LLM.sentences import split_sentences

_END = re.compile(r"[.!?…][\"'”’)]*\s*$|[^\s:,;][^\S\n]*\n\s*$")
"""The end of a sentence, or of a line that announces nothing."""

_CLAUSE = re.compile(r"\w.*[,;:—–]\s*$", re.DOTALL)
"""A clause after which there is more to come."""

_CLAUSES = re.compile(r"(?<=[,;:—–])\s+(?=\S)")


def first_sentences(pieces: Iterator[str], count: int) -> Generator[str, None, None]:
    """Yield the first `count` sentences of an English answer, each as a whole, but that the first clause
    goes out early. The answer ends before a sentence that it has said already.

    An answer that stops in mid-sentence, as at the limit of its length, ends with its last whole
    sentence; if it has none, with its last whole clause. Closing this generator closes `pieces`.
    """
    said: set[str] = set()
    sentence = held = ""  # the sentence so far, and the part of it that has not gone out
    with closing(split_sentences(pieces, "en")) as texts:
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
