"""Code blocks are left out of an answer, wherever they open and close, and however it is cut."""

import random
import re
from collections.abc import Generator, Iterator

import pytest

from LLM.code_blocks import without_code


def cuts(text: str) -> Iterator[list[str]]:
    """The text whole, in characters, in words, and in two parts at every place."""
    yield [text]
    yield list(text)
    yield re.findall(r"\S+|\s+", text)
    yield from ([text[:at], text[at:]] for at in range(1, len(text)))


def prose(pieces: list[str]) -> str:
    return "".join(without_code(piece for piece in pieces))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Sure:\n```python\nprint(1)\n```\nRun it.", "Sure: Run it."),
        ("```\nprint(1)\n```", ""),
        ("Sure: ```python\nprint(1)\n```\nRun it.", "Sure: Run it."),
        ("Sure:```python\nprint(1)\n```\nRun it.", "Sure: Run it."),
        ("Sure: ```\nprint(1)\n```\nRun it.", "Sure: Run it."),
        ('Sure: ```python title="a.py"\nprint(1)\n```\nRun it.', "Sure: Run it."),
        ("Sure:\r\n```python\r\nprint(1)\r\n```\r\nRun it.", "Sure: Run it."),
        ("1. ```bash\n   rm -rf build\n   ```\n2. Then start.", "2. Then start."),
        ("1. ```bash\nrm -rf build\n```\n2. Then start.", "2. Then start."),
        ("1. ```bash\n   rm -rf build\n2. Then start.", "2. Then start."),
        ("- Run:\n  ```bash\n  rm\n  ```\n- Then start.", "- Run: - Then start."),
        ("- Run: ```bash\n  rm\n  ```\n- Then start.", "- Run: - Then start."),
        ("> ```\n> print(1)\n> ```\nRun it.", "Run it."),
        ("> See:\n> ```\n> print(1)\n> ```\n> Run it.", "> See: > Run it."),
        ("> ```\n> print(1)\nRun it.", "Run it."),
        ("> - ```\n>   print(1)\n>   ```\nRun it.", "Run it."),
        ("````md\n```py\nprint(1)\n```\n````\nRun it.", "Run it."),
        ("```md\n```py\nprint(1)\n```\n```\nRun it.", "Run it."),
        ("```\nprint(1)\n`````\nRun it.", "Run it."),
        ("~~~py\nprint(1)\n```\n~~~\nRun it.", "Run it."),
        ("Sure: ~~~py\nprint(1)\n~~~\nRun it.", "Sure: Run it."),
        ("```py\nprint(1)\n~~~\n```\nRun it.", "Run it."),
        ("```python\nprint(1)```\nRun it.", "Run it."),
        ("```python\nprint(1)``` Run it.", "Run it."),
        ("```python\nprint(1)\n``` Run it. It works.", "Run it. It works."),
        ("```python\nprint(1)\n```Run it.", "Run it."),
        ("```python\nprint(1)\n```bash\nls\n```\nRun it.", "Run it."),
        ('```python\nprint("```")\nprint(```a```)\n```\nRun it.', "Run it."),
        ("```python\nprint(1)\n\n\nprint(2)\n", ""),
        ("Sure: ```python", "Sure:"),
        ("```python", ""),
        ("```py\na\n```\nThen:\n```py\nb\n```\nDone.", "Then: Done."),
        ("    print(1)\n    print(2)\nRun it.", "print(1) print(2) Run it."),
        # what is no block
        ("Use ```x = 1``` here.\nDone.", "Use ```x = 1``` here. Done."),
        ("```x = 1``` is code.\nDone.", "```x = 1``` is code. Done."),
        ("Three backticks, ```as here, open\nit.", "Three backticks, ```as here, open it."),
        ("Run ```a = 1\nb``` now.\nThen stop.", "Run ```a = 1 b``` now. Then stop."),
        ("```Now run it. It prints one.", "```Now run it. It prints one."),
        ("See you~~~\nBye ~~~\nHello~~~all\nYes.", "See you~~~ Bye ~~~ Hello~~~all Yes."),
        ("Use `x` and ``y`.", "Use `x` and ``y`."),
        ("1. Milk\n2. Eggs\n> * Tea", "1. Milk 2. Eggs > * Tea"),
        ("**12. Yes", "**12. Yes"),
        ("", ""),
    ],
)
def test_what_is_left(written: str, kept: str) -> None:
    whole = prose([written])
    assert " ".join(whole.split()) == kept
    for pieces in cuts(written):
        assert prose(pieces) == whole, pieces


def test_random_text_does_not_depend_on_how_it_is_cut() -> None:
    chance = random.Random(0)
    parts = [
        "`",
        "``",
        "```",
        "````",
        "~~~",
        "\n",
        "\n\n",
        " ",
        "  ",
        "> ",
        "- ",
        "1. ",
        "py",
        "Run it. ",
        '"',
        ":",
    ]
    for _ in range(2000):
        text = "".join(chance.choices(parts, k=chance.randint(1, 20)))
        whole = prose([text])
        assert prose(list(text)) == whole, text
        at = chance.randint(0, len(text))
        assert prose([text[:at], text[at:]]) == whole, text


def test_a_block_separates_the_words_before_it_from_those_behind() -> None:
    assert prose(["Sure: ```py\nprint(1)\n``` Run it."]) == "Sure: \nRun it."


def test_prose_is_not_held_back() -> None:
    taken: list[str] = []

    def pieces() -> Generator[str, None, None]:
        for piece in ("Sure", ", this", " is it: ", "```py", "\n", "print(1)\n", "``` Run", " it."):
            taken.append(piece)
            yield piece

    text = without_code(pieces())
    for given, so_far in (
        ("Sure", 1),
        (", this", 2),
        (" is it: ", 3),
        ("\n", 5),
        ("Run", 7),
        (" it.", 8),
    ):
        assert next(text) == given
        assert len(taken) == so_far


def test_closing_it_closes_the_source() -> None:
    closed = []

    def source() -> Generator[str, None, None]:
        try:
            while True:
                yield "words "
        finally:
            closed.append(True)

    text = without_code(source())
    next(text)
    text.close()
    assert closed == [True]
