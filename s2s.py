"""The command `s2s`: the program as pip, pipx and uv install it.

The modules import each other by the names of their folders, so the folder of the program comes first in
`sys.path`, as it does for a script.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Run the program, and end with its exit code."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from utils.launch import end, prepare_launch

    prepare_launch("s2s")  # before imports that are slow, or fail for missing packages
    from utils.environment import apply_model_cache_dir
    from utils.streams import prepare_streams
    from utils.threads import apply_thread_limits

    apply_thread_limits()
    apply_model_cache_dir()
    prepare_streams()
    end(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Do what the words and flags say, and return an exit code."""
    from command_line.words import asks_help, split
    from pipeline.errors import UserError

    try:
        word, rest = split(argv)
        if word == "get" and not asks_help(rest):
            from commands.get import get

            return get(rest)
        flags, note = _prepared(word, rest)
    except UserError as error:
        from utils.streams import tell

        tell(str(error), "s2s: ")
        return error.exit_code
    except BrokenPipeError:
        from utils.streams import abandon_stdout

        abandon_stdout()
        return 1
    except KeyboardInterrupt:
        return 130
    import s2s_pipeline

    return s2s_pipeline.main(flags, note)


def _prepared(word: str, rest: Sequence[str]) -> tuple[list[str], str]:
    """The flags of the program, once everything is there that it wants at its first start, and a note to
    show when it is ready."""
    from command_line.words import flags_for, in_mode, names_mode, talks

    flags = flags_for(word, rest)
    if not talks(flags):
        return flags, ""
    _greet()
    bare = not word and not names_mode(flags)
    lack = _missing_device() if bare or word == "talk" else ""
    if lack and not bare:
        return flags, ""  # the program says so, before anything is fetched for it
    if bare:
        flags = [*in_mode("websocket", flags), "--open"] if lack else in_mode("local", flags)
    from commands.get import get_missing

    get_missing(flags)
    return flags, f"{lack}, so you talk through a web page:" if lack else ""


def _greet() -> None:
    """Show on a terminal, before everything that is slow, that the program has started."""
    if sys.stderr.isatty():
        from utils.version import program_and_version

        line = f"  {program_and_version()} is starting"
        whole = f"{line}; Ctrl-C ends"
        narrow = len(whole) > shutil.get_terminal_size().columns
        print(line if narrow else whole, file=sys.stderr, flush=True)


def _missing_device() -> str:
    """The device that this machine lacks for a conversation, in words; "": none."""
    from pipeline.errors import NoAudioDevice
    from utils.sound_devices import ROLES, find_sound_device

    try:
        for role in ROLES:
            find_sound_device(role, None)
    except NoAudioDevice as error:
        return str(error).partition(";")[0]
    return ""
