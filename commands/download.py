"""`--download`: get all that what was chosen needs, and end; then it runs without a network."""

import os
from typing import TYPE_CHECKING

from engines.loader import load_engines
from utils.hub import fetched, folder_bytes, size_text
from utils.shutdown import Shutdown
from VAD import smart_turn_file

if TYPE_CHECKING:
    from command_line.arguments import Arguments


def download(arguments: "Arguments") -> int:
    """Load every engine once, since nobody else knows what each will ask for, and say what is where. 0;
    raises `UserError` where something cannot be had. Ctrl-C ends it at once: what is got by other
    threads would be waited for otherwise."""
    Shutdown().on_stop(lambda: os._exit(130))
    if arguments.vad.turn_detector == "auto":
        smart_turn_file.main()
    load_engines(arguments).close()
    for name, folder in sorted(fetched.items()):
        print(f"{name}: {size_text(folder_bytes(folder))} in {folder}")
    print("all is here that this needs; it asks no hub any more")
    return 0
