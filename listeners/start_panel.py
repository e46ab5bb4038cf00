"""Start panel: what listens, thinks and speaks, where the words go, and which keys there are."""

import sys
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from listeners.key_list import key_list
from listeners.printable import encodable
from pipeline.description import Description, Part
from pipeline.language import english_name
from pipeline.session import Session
from utils.keyboard import has_keyboard

_LABELS = {"stt": "Ears", "llm": "Mind", "tts": "Voice", "s2s": "Model"}
_LABEL_WIDTH = 7
_INDENT = 2

_OFFERS = {
    "stt": "press B for a better one", "llm": "press B for a better one", "tts": "press B for another"
}  # fmt: skip

_GOES = {
    "stt": "your voice goes", "llm": "your words go", "tts": "the answers go", "s2s": "your voice goes"
}  # fmt: skip

PRIVATE = "Private: nothing you say leaves this machine"


class Row(NamedTuple):
    """One line of the panel: a label, what it says, and the way to something better."""

    label: str
    text: str
    hint: str = ""


def describe(program: Description, sound: str = "", offered: Collection[str] = ()) -> Iterator[Row]:
    """The rows of the panel in the order of a conversation. `sound`: the microphone and the
    loudspeaker, if they are this machine's. `offered`: the stages for which a key offers better
    parts."""
    for stage, parts in groupby(program.parts, lambda part: part.stage):
        if stage in _LABELS:
            first, *others = parts
            text = ", else ".join([_about(first), *(part.title for part in others)])
            hint = _OFFERS[stage] if stage in offered else program.hints.get(stage, "")
            yield Row(_LABELS[stage], text, hint)
    if sound:
        yield Row("Mic", sound)
    yield Row("", _privacy(program.parts))


def show_panel(rows: Iterator[Row]) -> None:
    """Print the rows to standard error: wrapped and in color on a terminal, else one plain line each.

    They go through `sys.stderr`, as a live screen replaces it: a console of its own would pass it by.
    """
    console = _console()
    with console.capture() as rendered:
        for row in rows:
            for line in _lines(row, console):
                console.print(line, soft_wrap=True)
    print(rendered.get(), end="", file=sys.stderr, flush=True)


def show_keys(session: Session, *, has_offers: bool) -> None:
    """Say that the conversation can begin, and which keys there are."""
    if not has_keyboard():
        print("  Talk now; Ctrl-C ends", file=sys.stderr, flush=True)
        return
    listed = key_list(session, has_offers=has_offers)
    if not hasattr(sys.stdout, "rich_proxied_file"):  # no live screen: see `Keys`
        listed = listed[:2]
    keys = [f"{key} {does}" for key, does, _ in listed if key not in ("L", "Q")]
    begin = "Talk now." if session.settings.hands_free else "Ready."
    line, *others = [f"{begin} {keys[0]}", *keys[1:], "Ctrl-C end"]
    lines = [line]
    for key in others:  # no key is parted from its word
        if len(lines[-1]) + len(key) + 5 + _INDENT <= _console().width:
            lines[-1] += f" · {key}"
        else:
            lines.append(key)
    show_panel(Row("", line) for line in lines)


def _console() -> Console:
    """Standard error, which is a terminal's even while the lines of C libraries are taken out of it."""
    on_screen = sys.stderr.isatty() or hasattr(sys.stderr, "rich_proxied_file")
    return Console(stderr=True, highlight=False, force_terminal=on_screen)


def _lines(row: Row, console: Console) -> Iterator[Text]:
    text = Text(_shown(row.text))
    if row.hint:
        text.append(_shown(f"  ▸ {row.hint}"), "yellow")
    label = f"{row.label:<{_LABEL_WIDTH}}" if row.label else ""
    width = console.width - _INDENT - len(label)
    wrapped = text.wrap(console, max(8, width)) if console.is_terminal else [text]
    for number, line in enumerate(wrapped):
        line.rstrip()
        before = label if number == 0 else " " * len(label)
        yield Text.assemble(" " * _INDENT, (before, "bold"), line)


def _shown(text: str) -> str:
    """The text in the encoding of standard error, which a live screen may have replaced."""
    stream = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
    encoding: str = stream.encoding or "utf-8"
    if not encoding.lower().startswith("utf"):
        text = text.replace("▸", ">").replace("·", "-")
    return encodable(text, encoding)


def _about(part: Part) -> str:
    """The engine with its model, its languages and an unusual device; of an engine that a newcomer
    should replace, its nature."""
    if part.placeholder:
        return part.about if part.about.startswith(part.title) else f"{part.title}, {part.about}"
    where = f"at {part.host}" if part.host else ""
    if part.device not in ("", "cpu"):
        where = f"on {part.device}"
    facts = [part.title, _languages(part.languages), where]
    return " · ".join(fact for fact in facts if fact)


def _languages(codes: Sequence[str]) -> str:
    match codes:
        case ("*",):
            return "any language"
        case _ if len(codes) > 3:
            return f"{len(codes)} languages"
    return ", ".join(english_name(code) for code in codes)


def _privacy(parts: Sequence[Part]) -> str:
    going = {f"{_GOES[part.stage]} to {part.host}": None for part in parts if part.host}
    return f"Not private: {', '.join(going)}" if going else PRIVATE
