"""Written text is turned into text that can be spoken: markup is removed, everything else stays."""

import random
import re
from collections.abc import Iterator

import pytest

from LLM.code_blocks import without_code
from LLM.sentences import split_sentences
from LLM.speakable import Speakable

LINES = [
    ("Plain text.", "Plain text."),
    ("", ""),
    ("...", ""),
    # emphasis
    ("This is **bold** and *this* and `code`.", "This is bold and this and code."),
    ("This is ***both*** and **bold *and both***.", "This is both and bold and both."),
    ("**A bold one that goes on.", "A bold one that goes on."),
    ("and ends here.** Yes.", "and ends here. Yes."),
    ("**Note:** (*this*), **(that)** and _those_.", "Note: (this), (that) and those."),
    ("**Bold**ly, un**believ**able, *this*-like.", "Boldly, un**believ**able, this-like."),
    ("** Warning ** is loose.", "Warning ** is loose."),
    ("这是**重点**内容。", "这是重点内容。"),
    ("これは*重要*です。", "これは重要です。"),
    ("It is ~~wrong~~ right, ~5 of them.", "It is wrong right, ~5 of them."),
    # sums, stars and underscores
    ("2 * 3 = 6", "2 * 3 = 6"),
    ("Two times three is 2*3 = 6.", "Two times three is 2*3 = 6."),
    ("It is 2*4*5 or 2 *4* 5.", "It is 2*4*5 or 2 *4* 5."),
    ("Two cubed is 2**3 or 2 ** 3.", "Two cubed is 2**3 or 2 ** 3."),
    ("The volume is a*b*c, or **a*b*c**.", "The volume is a*b*c, or a*b*c."),
    ("It is f(x)*g(x)*(1+x), or 3*$5.", "It is f(x)*g(x)*(1+x), or 3*$5."),
    ("x**2 and n**k grow.", "x**2 and n**k grow."),
    ("A 5* hotel.", "A 5* hotel."),
    ("Delete *.py files.", "Delete *.py files."),
    ("A \\*star\\* stays.", "A *star* stays."),
    ("snake_case and a__b stay", "snake_case and a__b stay"),
    ("The file is __init__.py, I think.", "The file is init.py, I think."),
    ("Its _private part.", "Its private part."),
    # tags and angle brackets
    ("<b>Warning.</b> Stop now.", "Warning. Stop now."),
    ("<p>Hello there.</p>", "Hello there."),
    ("<div>Turn left at the light.</div>", "Turn left at the light."),
    ('See <a href="https://x.org/a?b=1">the page</a>.', "See the page."),
    ("One<br>two<br/>three.", "One two three."),
    ("H<sub>2</sub>O and <strong>more", "H2O and more"),
    ("<ul><li>One</li><li>Two</li></ul>", "One Two"),
    ("<answer>Hello there.</answer>", "Hello there."),
    ("<my_answer>Hello there.</my_answer>", "Hello there."),
    ("Say your name like this: <first name>.", "Say your name like this: first name."),
    ("Dear <name>, your <title> is <your-title>.", "Dear name, your title is your-title."),
    ("If a<b and c>d, say yes.", "If a<b and c>d, say yes."),
    ("If a<b>c, say no.", "If a<b>c, say no."),
    ("Use 3 < 4 > 2 as it is.", "Use 3 < 4 > 2 as it is."),
    ("A List<String> of Map<int, T>.", "A List<String> of Map<int, T>."),
    ("I <3 you, -> and <- and <=.", "I <3 you, -> and <- and <=."),
    ("AT&amp;T and 5 < 6 &lt; 7&nbsp;km", "AT&T and 5 < 6 < 7 km"),
    # square brackets
    ("[Bob]: Yes!", "[Bob]: Yes!"),
    ("[Narrator]: Hello.", "[Narrator]: Hello."),
    ("[1]: See a[0] and [2].", "[1]: See a[0] and [2]."),
    ("A fact.[^1]", "A fact."),
    ("[^1]: The source.", "The source."),
    ("[x] is a box.", "[x] is a box."),
    ("Use `a[i](j)` here.", "Use a[i](j) here."),
    # links
    ("See [the docs](https://example.org/a?b=c).", "See the docs."),
    ("See [**the** docs](https://example.org 'Docs').", "See the docs."),
    ("See <https://www.example.com/path>, <me@example.com>.", "See example.com, me@example.com."),
    ("It is at https://www.example.com/path/x?y=z.", "It is at example.com."),
    ("![A cat](cat.png) sat.", "A cat sat."),
    ("[![A cat](cat.png)](https://x.org)", "A cat"),
    # blocks
    ("# A heading\n", "A heading"),
    ("## A heading ##\n", "A heading"),
    ("#1 in C# is # here", "#1 in C# is # here"),
    ("- an item\n", "an item"),
    ("• an item\n", "an item"),
    ("- [ ] to do\n", "to do"),
    ("+ an item\n", "an item"),
    ("* 2*3 = 6\n", "2*3 = 6"),
    ("- 5 degrees is cold.", "5 degrees is cold."),
    ("-5 degrees is cold.", "-5 degrees is cold."),
    ("2. the second\n", "2. the second"),
    ("2) the second\n", "2) the second"),
    ("1986. A great year.", "1986. A great year."),
    ("> a quote", "a quote"),
    ("> > - a *deep* quote", "a deep quote"),
    ("    indented words", "indented words"),
    ("---\n", ""),
    ("***", ""),
    ("A title\n===\nText.\n---\n", "A title Text."),
    ("|a|**b**|\n|---|---|\n|1|2*3|\n", "a, b 1, 2*3"),
    ("a | b\n:--|--:\n1 | 2\n\ncat x | sort", "a | b 1, 2 cat x | sort"),
    ("Here it is:\n\nA cat sat.\n", "Here it is: A cat sat."),
    # sums of money, formulas
    ("$5 is the price.", "$5 is the price."),
    ("\\$5 is the price.", "$5 is the price."),
    ("It is \\(x\\), or $x^2$.", "It is (x), or $x^2$."),
    # emoji and other scripts
    ("Well done 👍🏽! 😀", "Well done !"),
    ("Good 😀.", "Good."),
    ("❤️", ""),
    ("1️⃣ Milk, ©️ and Acme™.", "1 Milk, © and Acme™."),
    ("క్షమించండి", "క్షమించండి"),
    ("क्\u200dष", "क्\u200dष"),
]


@pytest.mark.parametrize(("written", "spoken"), LINES)
def test_a_piece(written: str, spoken: str) -> None:
    assert Speakable()(written) == spoken


def test_halves_of_a_character_are_joined_or_left_out() -> None:
    speakable = Speakable()
    assert speakable("Half \ud83d of it") == "Half of it"
    assert speakable("A smile \ud83d\ude00 here") == "A smile here"
    assert speakable("[Half](https://x.org/\ud83d)") == "Half"
    assert speakable("\ud83d") == ""


def cuts(text: str) -> Iterator[list[str]]:
    """The text in characters, in words, and in two parts at every place."""
    yield list(text)
    yield re.findall(r"\S+|\s+", text)
    yield from ([text[:at], text[at:]] for at in range(1, len(text)))


def aloud(pieces: list[str]) -> str:
    """The words of an answer that streams in these pieces."""
    speakable = Speakable()
    sentences = split_sentences(without_code(piece for piece in pieces), "en")
    return " ".join(filter(None, map(speakable, sentences)))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Warning. Stop now.** Go.", "Warning. Stop now. Go."),
        ("**Warning, my friends, stop now.** Then 2*3.", "Warning, my friends, stop now. Then 2*3."),
        ("*Wait. Stop now.* A 5* hotel.", "Wait. Stop now. A 5* hotel."),
        ("*Wait. Stop now.\n\nA 5* hotel.", "Wait. Stop now. A 5* hotel."),
        ("[Read this. And that](https://x.org/a).", "Read this. And that."),
        ("[Well, read this, and that](https://x.org/a).", "Well, read this, and that."),
        ("`print. Hello` is it.", "print. Hello is it."),
        ("<b>Warning. Stop now.</b> Go.", "Warning. Stop now. Go."),
        ("<strong>Warning. Stop now.</strong> Go.", "Warning. Stop now. Go."),
        ("| a. B | c |\n|---|---|\n| d | e |", "a. B, c d, e"),
        ("It is minus five.\n- 5 degrees is cold.", "It is minus five. 5 degrees is cold."),
        ("It came in 5. - Bob. # 1 it is.", "It came in 5. - Bob. # 1 it is."),
        ("[Narrator]: Hello. [Bob]: Yes!", "[Narrator]: Hello. [Bob]: Yes!"),
        ("Sure: ```python\nprint(1)\n```\nNow run it. It works.", "Sure: Now run it. It works."),
        ("1. ```sh\n   rm\n   ```\n2. Then start. It works.", "2. Then start. It works."),
        (
            "Note: 1986. A great year.\n1986. A great year.",
            "Note: 1986. A great year. 1986. A great year.",
        ),
        ("```\nprint(1)\n```", ""),
    ],
)
def test_an_answer_however_it_is_cut(written: str, spoken: str) -> None:
    for pieces in cuts(written):
        assert aloud(pieces) == spoken, pieces


@pytest.mark.parametrize(("written", "_"), LINES)
def test_no_word_is_lost_however_an_answer_is_cut(written: str, _: str) -> None:
    expected = aloud([written])
    for pieces in cuts(written):
        assert aloud(pieces).split() == expected.split(), pieces


def test_random_markup_is_no_error() -> None:
    chance = random.Random(0)
    parts = [
        *"*_~`<>[]()|#!&\\/:;-+=\"'@^$. \n",
        *(
            "**",
            "word",
            "2",
            "b",
            "</b>",
            "<b>",
            "https://x.org",
            "](",
            "&amp;",
            "\0",
            "é",
            "中",
            "1. ",
        ),
    ]
    for _ in range(1000):
        text = "".join(chance.choices(parts, k=chance.randint(1, 30)))
        spoken = aloud(list(text))
        assert spoken == spoken.strip()
        assert spoken.isprintable()
