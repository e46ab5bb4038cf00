"""Speakable: turns the text of a language model into text that can be read aloud."""

import re
from collections.abc import Iterable
from typing import Any

import emoji
from markdown_it.token import Token

from LLM.inline_markup import BEFORE, OPEN_STARS, parser
from pipeline.words import NO_CHARACTER, has_words, well_formed

_PLAIN = re.compile(r"\s*[A-Za-z][A-Za-z0-9 ,;'\"()-]*[.?!]?\s*")
"""An ordinary sentence without markup, which need not be parsed."""

_NEW_BLOCK = re.compile(r"\s*(?:[-+*•>#]+\s|\d+[.)]\s|\|)")
"""The beginning of a list item, a quote, a heading or a row: emphasis does not go on into it."""

_BULLET = re.compile(r"^\s*[•▪◦‣]\s*")
_TASK = re.compile(r"^(\s*[-*+]\s+)\[[ xX]\]\s")
_TABLE_RULE = re.compile(r"^[\s|:+-]*$")
_URL = re.compile(r"\bhttps?://(?:www\.)?([^\s/?#:]+)\S*?(?=[.,;:!?)\]]*(?:\s|$))")
_FOOTNOTE = re.compile(r"\[\^[\w-]+\]:?")
_END_OF_LINK = re.compile(r"^([^\[\]]*)\]\([^()\s]*\)")
_BEGINNING_OF_LINK = re.compile(r"\[(?=[^\]]*$)")
"""The brackets of a link whose end is in a later piece."""
_STRAY_MARKUP = re.compile(r"(?<!\w)_+|_+(?!\w)|(?<!\s)~{2,}|~{2,}(?!\s)|`+")
_LOOSE_STOP = re.compile(r"\s+([.,])(?!\w)")
"""Punctuation left behind when an emoji is removed."""
_SPACES = re.compile(r"\s+")

_markdown = parser()


class Speakable:
    """Makes one piece after another of an answer speakable; code blocks have been left out before.

    Markup is removed and its text kept; a link becomes its text, a bare URL its host. Emoji are
    removed. Everything else stays.
    Pieces are sentences or parts of them; the place in the line, the table and the paragraph is
    remembered for the next one.
    """

    def __init__(self) -> None:
        self._in_line = self._in_row = self._in_table = False
        self._last = ""
        self._paragraph: dict[str, Any] = {OPEN_STARS: 0, BEFORE: ""}

    def __call__(self, text: str) -> str:
        """The words to speak for `text`; empty: none."""
        return " ".join(filter(has_words, map(self._line, text.splitlines(keepends=True))))

    def _line(self, text: str) -> str:
        """The words of a line, or of the next part of one."""
        begins, ends = not self._in_line, text.splitlines()[0] != text
        self._in_line = not ends and (self._in_line or bool(text.strip()))
        self._paragraph[BEFORE], self._last = "" if text[0].isspace() else self._last, text[-1]
        if not text.strip():
            if begins and ends:
                self._in_table, self._paragraph[OPEN_STARS] = False, 0
            return ""
        if begins:
            if _NEW_BLOCK.match(text):
                self._paragraph[OPEN_STARS] = 0
            self._in_table = self._in_table and "|" in text
            self._in_row = self._in_table or text.lstrip().startswith("|")
        if _TABLE_RULE.match(text):
            self._in_table = self._in_table or "|" in text
            return ""
        if _PLAIN.fullmatch(text):
            return text.strip()
        return self._without_markup(text, begins)

    def _without_markup(self, text: str, begins: bool) -> str:
        text = well_formed(text)
        if self._in_row:
            text = ", ".join(filter(None, (cell.strip() for cell in text.split("|"))))
        if begins:
            tokens = _markdown.parse(_BULLET.sub("", _TASK.sub(r"\1", text)).strip(), self._paragraph)
        else:
            tokens = _markdown.parseInline(text.strip(), self._paragraph)
        spoken = _BEGINNING_OF_LINK.sub("", _END_OF_LINK.sub(r"\1", _text_of(tokens)))
        spoken = _URL.sub(r"\1", _FOOTNOTE.sub("", spoken))
        if not spoken.isascii():
            spoken = emoji.replace_emoji(spoken, _without_picture).replace(NO_CHARACTER, "")
        spoken = _SPACES.sub(" ", _STRAY_MARKUP.sub("", spoken))
        return _LOOSE_STOP.sub(r"\1", spoken).strip()


def _text_of(tokens: Iterable[Token]) -> str:
    return "".join(map(_text_of_one, tokens))


def _text_of_one(token: Token) -> str:
    match token.type:
        case "inline":
            return _text_of(token.children or ())
        case "text" | "code_inline" | "image":
            return token.content
        case "softbreak" | "hardbreak":
            return " "
        case "list_item_open" if token.info:
            return f"{token.info}{token.markup} "
    return ""


def _without_picture(character: str, _: dict[str, Any]) -> str:
    """The digit or sign of a keycap emoji, and signs that are words; other emoji are dropped."""
    return character[0] if character[0] in "0123456789#*©®™" else ""
