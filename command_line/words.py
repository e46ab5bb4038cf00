"""The words of the command `s2s`, such as `s2s serve`: each stands for flags of the program.

Imports little, because the command looks at its words before it imports the program.
"""

import difflib
import mimetypes
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from pipeline.errors import UserError

WORDS = ("talk", "serve", "file", "check", "voices", "get", "install")
"""Without a word, `s2s` talks or, without a microphone, opens the page."""

_PLAIN = {
    "talk": ("--mode", "local"),
    "serve": ("--mode", "websocket"),
}

_TALKING = (*_PLAIN, "file")
"""Words for a conversation."""

_INSTEAD = ("check", "download", "install", "list_voices", "help", "h", "version")
"""Flags for something other than a conversation."""

_HELP = ("help", "h")


def split(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The word, "" if there is none, and the arguments after it. Raises `UserError` if the first
    argument is neither a word, a flag nor a file of settings, or if a word stands behind flags."""
    first = argv[0] if argv else ""
    if first in ("help", "--help", "-h"):
        if argv[1:2] and argv[1] in WORDS:  # s2s --help serve
            return argv[1], ["--help", *argv[2:]]
        return "", ["--help", *argv[1:]]
    if first in WORDS:
        return first, list(argv[1:])
    operand = "" if first.startswith("-") else first
    if (mimetypes.guess_type(operand)[0] or "").startswith("audio/"):
        raise UserError(f"to answer a recording, type: s2s file {operand}")
    if operand and not _is_file(operand):
        near = difflib.get_close_matches(first.lower(), WORDS, n=1)
        nearest = f"the nearest is {near[0]}, and " if near else ""
        raise UserError(f"there is no command {first!r}; {nearest}all are: {', '.join(WORDS)}")
    for before, argument in pairwise(argv):
        if argument in WORDS and not before.startswith("-"):  # else it may be the value of that flag
            raise UserError(f"got {argument!r} after flags; a word comes first: s2s {argument} …")
    return "", list(argv)


def flags_for(word: str, rest: Sequence[str]) -> list[str]:
    """The flags of the program for a word and what follows it: a file of settings, an operand, flags.
    Raises `UserError`."""
    file = list(rest[:1]) if rest and word in ("", "check", *_PLAIN) and _is_file(rest[0]) else []
    operand = rest[0] if rest and not file and (rest[0] == "-" or rest[0][:1] != "-") else None
    flags = list(rest[len(file) + (operand is not None) :])
    if operand is not None and word in ("", *_PLAIN):
        raise UserError(f"expected a flag or a JSON file after s2s {word}, got {operand!r}")
    if asks_help(flags):
        return [*file, *_shown_mode(word, [*file, *flags]), *flags, *_topic(word, flags)]
    if word in _PLAIN:
        return [*file, *_PLAIN[word], *flags]
    if word == "check":  # what the bare command needs
        wanted = [*file, "--check", *([] if operand is None else [operand]), *flags]
        return wanted if names_mode([*file, *flags]) else [*wanted, "--mode", "local"]
    if word == "file":
        if operand is None and not _names(flags, ("input",)):
            raise UserError("expected a recording, such as: s2s file question.wav")
        return ["--mode", "file", *([] if operand is None else ["--input", operand]), *flags]
    if word == "voices":
        return ["--list_voices", *([] if operand is None else [_stage_of(operand), operand]), *flags]
    if word == "install":
        if operand is None:
            raise UserError("expected the name of an engine, such as: s2s install parler")
        return ["--install", operand, *flags]
    return [*file, *flags]


def in_mode(mode: str, flags: Sequence[str]) -> list[str]:
    """The flags, and the file in front of them, with a mode."""
    file = 1 if flags and not flags[0].startswith("-") else 0
    return [*flags[:file], "--mode", mode, *flags[file:]]


def names_mode(flags: Sequence[str]) -> bool:
    """True if the flags, or the file in front of them, say where the audio comes from."""
    from command_line.exclusive import file_and_flags

    file, typed = file_and_flags(flags)
    return _names([*file.flags(), *typed], ("mode",))


def asks_help(flags: Sequence[str]) -> bool:
    """True if the flags ask for the help."""
    return _names(flags, _HELP)


def talks(flags: Sequence[str]) -> bool:
    """True if the flags ask for a conversation, not for a report or a download."""
    return not _names(flags, _INSTEAD)


def _names(flags: Sequence[str], names: Sequence[str]) -> bool:
    given = {flag.partition("=")[0].lstrip("-").replace("-", "_") for flag in flags if flag[:1] == "-"}
    return not given.isdisjoint(names)


def _shown_mode(word: str, flags: Sequence[str]) -> Sequence[str]:
    """The mode whose flags the help shows."""
    if word == "file":
        return ("--mode", "file")
    if word in _PLAIN:
        return _PLAIN[word]
    return () if word or names_mode(flags) else _PLAIN["talk"]


def _topic(word: str, flags: Sequence[str]) -> Sequence[str]:
    """The page of a word, unless another topic was typed, or flags of a conversation, whose parts the
    short page shows."""
    plain = flags[-1] in ("--help", "-h") and (word not in _TALKING or len(flags) == 1)
    return (word,) if word and plain else ()


def _is_file(argument: str) -> bool:
    return argument.endswith(".json") or Path(argument).is_file()


def _stage_of(engine: str) -> str:
    """The flag that chooses an engine that speaks."""
    from catalog.registry import specs

    names = {name for spec in specs("s2s") for name in (spec.name, *spec.aliases)}
    return "--s2s" if engine in names else "--tts"
