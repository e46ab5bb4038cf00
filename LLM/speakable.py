"""Speakable: turns the text of a language model into text that can be read aloud."""

import re

import emoji
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.words import NO_CHARACTER, has_words, well_formed

_PLAIN = re.compile(r"\s*[A-Za-z][A-Za-z0-9 ,;'\"()-]*[.?!]?\s*")
"""An ordinary sentence without markup, which need not be parsed."""

_FENCE = re.compile(r"^\s*(`{3,}[^`]*|~{3,}.*)$")
"""A line that begins or ends a block of code; "```x```" in one line is none."""

_TABLE_RULE = re.compile(r"^[\s|:+-]*$")
_URL = re.compile(r"\bhttps?://(?:www\.)?([^\s/?#:]+)\S*?(?=[.,;:!?)\]]*(?:\s|$))")
_STRAY_MARKUP = re.compile(r"(?<!\s)[*_~]{2,}|[*_~]{2,}(?!\s)|[*](?=\w)|(?<=\w)[*]|`+|^\s*#+\s+")
_LOOSE_STOP = re.compile(r"\s+([.,])(?!\w)")
"""Punctuation left behind when an emoji is removed."""
_SPACES = re.compile(r"\s+")

_markdown = MarkdownIt("commonmark").enable("strikethrough")


class Speakable:
    """Makes one piece after another of an answer speakable; remembers whether it is inside code.

    Markup goes, its text stays; of a link the text, of a bare URL the host. Emoji go. A block of code
    is left out: a listener cannot follow one.
    """

    def __init__(self) -> None:
        self._in_code = False

    def __call__(self, text: str) -> str:
        """The words to speak for `text`; empty: none."""
        if _FENCE.match(text.rstrip()):
            self._in_code = not self._in_code
            return ""
        if self._in_code or _TABLE_RULE.match(text):
            return ""
        if _PLAIN.fullmatch(text):
            return text.strip()
        spoken = _without_markup(text.strip())
        spoken = _URL.sub(r"\1", spoken)
        if not spoken.isascii():
            spoken = emoji.replace_emoji(well_formed(spoken), "").replace(NO_CHARACTER, "")
        spoken = _SPACES.sub(" ", _STRAY_MARKUP.sub("", spoken))
        spoken = _LOOSE_STOP.sub(r"\1", spoken).strip()
        return spoken if has_words(spoken) else ""


def _without_markup(line: str) -> str:
    if line.startswith("|"):
        line = ", ".join(filter(None, (cell.strip() for cell in line.split("|"))))
    return "".join(_text_of(token) for token in _markdown.parse(line))


def _text_of(token: Token) -> str:
    match token.type:
        case "inline":
            return "".join(_text_of(child) for child in token.children or ())
        case "text" | "code_inline" | "code_block":
            return token.content
        case "image":
            return token.content
        case "softbreak" | "hardbreak":
            return " "
        case "list_item_open" if token.info:
            return f"{token.info}{token.markup} "
    return ""
