"""Bars that show how far downloads have come."""

import contextlib
import sys
from collections.abc import Callable, Iterator

OnBytes = Callable[[str, int, int], None]
"""Called with the name of a file, the bytes that have come, and all of them; 0 if that is not known."""


@contextlib.contextmanager
def download_bars() -> Iterator[OnBytes]:
    """Show a bar for each file on standard error; in a log or a pipe, only a line at its start."""
    if not sys.stderr.isatty():
        named = set[str]()

        def say(name: str, come: int, size: int) -> None:
            if name not in named:
                named.add(name)
                print(f"  downloading {name}", file=sys.stderr, flush=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(24), DownloadColumn(), TimeRemainingColumn(compact=True))
    described = TextColumn("  {task.description}", markup=False)
    with Progress(described, *columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def show(name: str, come: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.update(tasks[name], completed=come, total=size or None)

        yield show
