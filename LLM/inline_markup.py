"""Rules for markdown-it that tell emphasis from sums, and tags from other words in angle brackets."""

import re

from markdown_it import MarkdownIt
from markdown_it.common.html_blocks import block_names
from markdown_it.rules_inline import StateInline

OPEN_STARS = "open stars"
"""Key in the environment of the parser: the number of asterisks that opened emphasis. Kept between the
pieces of a paragraph, so that "Stop now.**" ends what "**Warning." began."""

BEFORE = "before"
"""Key in the environment: the character before the text; empty: none, or a space."""

_STARS = re.compile(r"\*+")
_LETTER = r"[0-9A-Za-z\u00c0-\u024f\u0370-\u04ff]"
"""Letters of formulas. In scripts without spaces, emphasis has letters on both sides."""
_LETTERS = re.compile(_LETTER)
_LEFT_OPERAND = re.compile(rf"{_LETTER}|[)\]%°]")
_RIGHT_OPERAND = re.compile(rf"{_LETTER}|[(\[$€£¥√]")
_NO_WORD = re.compile(r"[.,;:!?)/]")

_INLINE_ELEMENTS = (
    "a abbr acronym audio b bdi bdo big br button canvas cite code data datalist del dfn em embed font "
    "i img input ins kbd label map mark math meter noscript object output picture pre progress q rp rt "
    "ruby s samp script select slot small source span strike strong style sub sup svg template textarea "
    "time tt u var video wbr"
)
_BLOCK_ELEMENTS = {*block_names, "br", "pre"}
_ELEMENTS = {*_INLINE_ELEMENTS.split(), *_BLOCK_ELEMENTS}
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/?>")
_ATTRIBUTES = re.compile(r"(?:\s+(?:open|hidden|controls|disabled|checked))*\s*|.*=.*", re.DOTALL)
_SHORT = 3
"""Length of the longest element name that cannot be mistaken for a word."""

_PLACEHOLDER = re.compile(r"<([^\W\d_](?:[^<>\n]*[^\s<>])?)>(\w?)")
"""Placeholders, such as <first name>."""


def stars(state: StateInline, silent: bool) -> bool:
    """Leave out asterisks of emphasis; keep those of sums, footnotes and file names."""
    run = _STARS.match(state.src, state.pos, state.posMax)
    if run is None:
        return False
    if not silent:
        before, after = state.src[: run.start()], state.src[run.end() :]
        state.append_pending("" if _is_emphasis(state, before, len(run[0]), after) else run[0])
    state.pos = run.end()
    return True


def _is_emphasis(state: StateInline, before: str, count: int, after: str) -> bool:
    left, right = before[-1:] or state.env[BEFORE], after[:1]
    closes, opens = bool(left.strip()), bool(right.strip())
    near_left, near_right = before.rstrip()[-1:], after.lstrip()[:1]
    if near_left.isdigit() and near_right.isdigit():
        return False
    if not closes and not opens:
        return count > 1 and not (near_left and near_right)
    in_word = bool(_LETTERS.match(left) and _LETTERS.match(right))
    if closes and state.env[OPEN_STARS] >= count and not (in_word and count == 1):
        state.env[OPEN_STARS] -= count
        return True
    if _LEFT_OPERAND.match(left) and _RIGHT_OPERAND.match(right):
        return False
    if not opens:
        return count > 1
    if count == 1 and _NO_WORD.match(right):
        return False
    state.env[OPEN_STARS] += count
    return True


def tags(state: StateInline, silent: bool) -> bool:
    """Leave out HTML tags, pairs of other tags, and the brackets of a placeholder."""
    if state.src[state.pos] != "<":
        return False
    shown = _shown(state.src, state.pos)
    if shown is None:
        return False
    text, state.pos = shown
    if not silent:
        state.append_pending(text)
    return True


def _shown(text: str, start: int) -> tuple[str, int] | None:
    """The text that replaces the tag or placeholder at `start`, and its end; None if there is none."""
    left = text[start - 1] if start else ""
    placeholder = _PLACEHOLDER.match(text, start)
    apart = placeholder is not None and not re.match(r"\w", left)
    if tag := _TAG.match(text, start):
        closing, name, attributes = tag.groups()
        element = name.lower()
        known = element in _ELEMENTS and _ATTRIBUTES.fullmatch(attributes) is not None
        is_pair = bool(closing) or f"</{name}>" in text[tag.end() :]
        at_start = not text[:start].strip()
        sure = is_pair or "=" in attributes or len(element) <= _SHORT or at_start
        compares = len(element) == 1 and not is_pair and _between_words(text, start, tag.end())
        is_word = apart and placeholder is not None and not placeholder[2]
        if (known or is_pair) and (sure or not is_word) and not compares:
            return " " if element in _BLOCK_ELEMENTS else "", tag.end()
    if placeholder is not None and apart:
        return placeholder[1] + " " * len(placeholder[2]), placeholder.end(1) + 1
    return None


def _between_words(text: str, start: int, end: int) -> bool:
    return re.match(r"\w\w", text[start - 1 : start] + text[end : end + 1]) is not None


def parser() -> MarkdownIt:
    """A parser of single lines that keeps all text not known to be markup: words in brackets before a
    colon are not a definition, and indented words are not code."""
    markdown = MarkdownIt("commonmark")
    markdown.disable(["code", "fence", "html_block", "lheading", "reference"])
    markdown.inline.ruler.at("emphasis", stars)
    markdown.inline.ruler.at("html_inline", tags)
    return markdown
