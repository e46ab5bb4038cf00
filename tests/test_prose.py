"""The openings of docstrings: a noun phrase or an imperative, never a clause that lacks its noun."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.command import ROOT, tracked

MAX_HEADLESS = 0
"""Docstrings that may still open with a headless clause. Lower it with every one that is rewritten;
never raise it."""

NOT_COUNTED = ("tests/", "benchmarks/", "examples/")

HEADLESS = re.compile(
    r"(Who|Whom|Whose|Whoever|What|Whatever|Which|Whichever|Whether|Where|Wherever|Why|How"
    r"|(After|At|By|For|From|In|Of|On|To|Under|With|Without) (what|which|who|whom|whose)"
    r"|As|Before|Behind|By|Of|So|Such|That|The other way|The same|Those|Up to)\b"
)
"""Openings such as "Whose hello …", "What is kept", "Of each session", "Whether it runs": the reader has
to guess the noun. Indirect questions count too, since a noun says the same ("Number of …")."""


def docstrings(file: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring in a file: of modules, classes, functions and attributes."""
    for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text)), lineno=line):
                yield line, " ".join(text.split())


def opens_headless(text: str) -> bool:
    return HEADLESS.match(text) is not None


def test_docstrings_open_with_a_noun_or_an_imperative() -> None:
    files = [file for file in tracked("*.py") if not file.startswith(NOT_COUNTED)]
    counted = [(file, line, text) for file in files for line, text in docstrings(file)]
    found = [f"{file}:{line} {text:.90}" for file, line, text in counted if opens_headless(text)]
    listed = "\n".join(found)
    assert len(counted) > 1000, "the files were found"
    assert len(found) <= MAX_HEADLESS, (
        f"expected at most {MAX_HEADLESS} headless openings in {len(counted)} docstrings, "
        f"got {len(found)}:\n{listed}"
    )


@pytest.mark.parametrize(
    "text",
    ["Whose hello is awaited.", "What is kept of it.", "Of which nobody knows.", "In which it runs."],
)
def test_a_clause_without_its_noun_is_headless(text: str) -> None:
    assert opens_headless(text)


@pytest.mark.parametrize(
    "text", ["Whole words only.", "In half duplex: closed.", "Ask the user.", "Assets of a voice.", ""]
)
def test_nouns_and_imperatives_are_not(text: str) -> None:
    assert not opens_headless(text)
