"""The start and the end of a program: Ctrl-C, an old Python, a missing package, an engine at work.

Needs only the standard library, and little of it: it comes before everything that is slow or may fail.
"""

import os
import re
import signal
import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

from utils.installation import INSTALLED, ROOT, install_requirements

OLDEST_PYTHON = (3, 11)


def prepare_launch(program: str) -> None:
    """End without a traceback from here on: with code 130 on Ctrl-C, until the program handles it; with
    code 2 and one sentence if a package of requirements.txt is missing, at whichever import."""
    # no KeyboardInterrupt: raised in the middle of a library's import, it may end up anywhere
    signal.signal(signal.SIGINT, _end)
    if sys.version_info < OLDEST_PYTHON:
        _refuse(
            program, f"expected Python 3.11 or newer, got {sys.version.split()[0]} ({sys.executable})"
        )

    def explain(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.partition(".")[0]
            if not _is_ours(package) and _lacks_requirements():
                _refuse(program, f"{package} is not installed for {sys.executable}; type: {_remedy()}")
        sys.__excepthook__(kind, error, traceback)

    sys.excepthook = explain


def end(code: int) -> NoReturn:
    """End the process, at once if an engine still computes.

    Its native code would abort if the interpreter were torn down under it: Moonshine did so in four of
    ten runs that Ctrl-C ended in the middle of an utterance.
    """
    import contextlib
    import threading

    engines = sys.modules.get("pipeline.shared_engine")  # None: no engine has run
    if engines and any(isinstance(thread, engines.SlotThread) for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # nobody reads it, or it is closed
                stream.flush()
        if keyboard := sys.modules.get("utils.keyboard"):
            keyboard.release_keyboard()
        os._exit(code)
    sys.exit(code)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def _refuse(program: str, text: str) -> NoReturn:
    print(f"{program}: {text}", file=sys.stderr)
    raise SystemExit(2)


def _is_ours(package: str) -> bool:
    return (ROOT / package).is_dir() or (ROOT / f"{package}.py").is_file()


def _lacks_requirements() -> bool:
    """Tell an incomplete environment from a mistake in an import. Packages that only some machines need
    do not count."""
    from importlib.metadata import PackageNotFoundError, version

    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    packages = [found[0] for line in lines if ";" not in line and (found := re.match(r"[\w.-]+", line))]
    try:
        for package in packages:
            version(package)
    except PackageNotFoundError:
        return True
    return False


def _remedy() -> str:
    """The command that activates a complete environment, or creates one."""
    if INSTALLED:
        return install_requirements()
    at_root = Path.cwd() == ROOT
    environment = Path(".venv") if at_root else ROOT / ".venv"
    make = "make setup" if at_root else f"make -C {ROOT} setup"
    requirements = "requirements.txt" if at_root else ROOT / "requirements.txt"
    if Path(sys.prefix).resolve() == (ROOT / ".venv").resolve():
        return make
    if sys.prefix != sys.base_prefix:  # the user's own environment
        return f"pip install -r {requirements}"
    if os.name == "nt":
        enter = rf"{environment}\Scripts\activate"
        return f"python -m venv {environment} && {enter} && pip install -r {requirements}"
    enter = f". {environment}/bin/activate"
    return enter if (ROOT / ".venv" / "ready").is_file() else f"{make} && {enter}"
