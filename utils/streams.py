"""Standard streams, made safe: they may be closed, unread, or in an encoding that lacks letters."""

import io
import os
import sys


def prepare_streams() -> None:
    """Connect closed streams to nowhere; escape characters that cannot be encoded."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, mode, closefd=False))
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def tell(text: str, mark: str = "  ") -> None:
    """Print to standard error, behind a mark. On a terminal, lines end between words."""
    if sys.stderr.isatty():
        lines = [_wrapped(line, len(mark)) for line in text.split("\n")]
        text = "\n".join(lines)[len(mark) :]
    print(f"{mark}{text}", file=sys.stderr, flush=True)


def _wrapped(line: str, indent: int) -> str:
    import shutil
    import textwrap

    width = max(2 * indent, shutil.get_terminal_size().columns)
    lines = textwrap.wrap(
        line,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def abandon_stdout() -> None:
    """Send all further output nowhere, the last flush too: its reader is gone (``| head``)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
