"""flag_rows: the flags of a parser as lines of help, each flag once and in the spelling with
underscores."""

import argparse
import math
import textwrap
from collections.abc import Iterable, Iterator

COLUMN = 20
"""Column at which explanations start."""

_VALUES = (
    ("file", "FILE"), ("model_name", "MODEL"), ("voice", "VOICE"), ("url", "URL"), ("host", "HOST"),
    ("language", "CODE"), ("device", "DEVICE"), ("record", "FOLDER"), ("stt", "NAMES"), ("llm", "NAMES"),
    ("tts", "NAMES"), ("s2s", "NAMES"), ("vad", "NAME"), ("preset", "NAME"), ("install", "NAME"),
)  # fmt: skip
"""Placeholders for values, by the ending of the flag."""

_LONGEST_DEFAULT = 60

_COMMANDS = ("check", "download", "list_voices")
"""Switches that do something instead of talking; nobody needs their opposites."""


def shown(actions: Iterable[argparse.Action]) -> list[argparse.Action]:
    """The actions that get a line: not the opposites (`--no_x`), and nothing hidden."""
    return [each for each in actions if each.option_strings and not _is_opposite(each)]


def spelled(action: argparse.Action) -> str:
    """The flag without its value, such as "--speculate/--no_speculate"."""
    name = action.option_strings[0]
    return f"{name}/--no_{action.dest}" if is_switch(action) and action.dest not in _COMMANDS else name


def to_type(action: argparse.Action) -> str:
    """The flag as one types it: `--no_speculate`, since speculation is on by default."""
    return f"--no_{action.dest}" if action.default is True else action.option_strings[0]


def is_switch(action: argparse.Action) -> bool:
    """True for a setting that is on or off."""
    return action.const is True


def rows(actions: Iterable[argparse.Action], width: int) -> Iterator[str]:
    """Each flag with its value, explanation and default, in lines of at most `width`."""
    for action in shown(actions):
        yield from row(f"{spelled(action)} {_value(action)}".rstrip(), _explained(action), width)


def row(left: str, right: str, width: int) -> Iterator[str]:
    """Two columns; the right one begins on the next line if the left one is too wide."""
    wide = len(left) > COLUMN - 4
    if wide:
        yield f"  {left}"
    first = " " * COLUMN if wide else f"  {left:<{COLUMN - 2}}"
    yield from textwrap.wrap(
        right,
        width,
        initial_indent=first,
        subsequent_indent=" " * COLUMN,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _is_opposite(action: argparse.Action) -> bool:
    return isinstance(action, argparse._StoreFalseAction)


def _value(action: argparse.Action) -> str:
    if is_switch(action) or action.nargs == 0:
        return ""
    if action.choices is not None:
        value = "|".join(map(str, action.choices))
    elif action.type in (int, float):
        value = "N"
    else:
        value = next((value for end, value in _VALUES if action.dest.endswith(end)), "TEXT")
    value = action.metavar if isinstance(action.metavar, str) else value
    return f"[{value}]" if action.nargs == "?" else value


def _explained(action: argparse.Action) -> str:
    text, default = action.help or "", action.default
    if is_switch(action):
        default = "on" if default else None
    unsaid = default in (None, "", argparse.SUPPRESS, math.inf)
    if unsaid or len(str(default)) > _LONGEST_DEFAULT:
        return text
    return (
        f"{text} (default: {default:g})"
        if isinstance(default, float)
        else f"{text} (default: {default})"
    )
