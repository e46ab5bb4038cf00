"""Progress of a download: one callback, and the bar that shows it in a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

from utils.logs import logs_json

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the bytes that are there, and those that will be there in the end."""


class DownloadStopped(Exception):
    """Raised by a `Progress` to end the download."""


@contextlib.contextmanager
def terminal_bar() -> Iterator[Progress]:
    """A bar on standard error, if that is a terminal; a log file gets none."""
    if not sys.stderr.isatty() or logs_json():
        yield lambda done, size: None
        return
    from huggingface_hub.utils import tqdm

    with tqdm(unit="B", unit_scale=True, leave=False, file=sys.stderr) as bar:

        def show(done: int, size: int) -> None:
            bar.total = size
            bar.update(done - bar.n)

        yield show
