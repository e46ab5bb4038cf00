"""`--download`: get every model that the chosen parts need, so that they run without a network."""

import os
from typing import TYPE_CHECKING

from catalog.weights import fetch_embedded
from engines.loader import load_engines
from utils.hub import fetched, folder_bytes, size_text
from utils.shutdown import Shutdown

if TYPE_CHECKING:
    from command_line.arguments import Arguments


def download(arguments: "Arguments") -> int:
    """Load every engine once, since only an engine knows what it fetches, and print where its files are.
    Returns 0; raises `UserError` if a file cannot be had. Ctrl-C ends the process at once: an orderly
    exit would wait for the downloads in other threads."""
    Shutdown().on_stop(lambda: os._exit(130))
    fetch_embedded()
    load_engines(arguments).close()
    for name, folder in sorted(fetched.items()):
        print(f"{name}: {size_text(folder_bytes(folder))} in {folder}")
    print("everything is downloaded: these flags no longer need the hub")
    return 0
