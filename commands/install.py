"""`--install NAME`: create an environment, with uv if it is installed, else with venv and pip. Both get
packages from the index that they are configured for (pip.conf, PIP_*, UV_*)."""

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from catalog.environments import Environment, find_environment
from pipeline.errors import UserError
from utils.shutdown import STOPPING

if TYPE_CHECKING:
    from command_line.arguments import Arguments

_UNPACK = str(Path(__file__).with_name("sdist.py"))


def install(arguments: "Arguments") -> int:
    """Create the environment that `--install` names. Returns 0; raises `UserError`."""
    for number in STOPPING:
        signal.signal(number, signal.default_int_handler)  # which tidies up
    create(find_environment(str(arguments.module.install)))
    return 0


def create(environment: Environment) -> None:
    """Create an environment, unless it exists, and print each step. Raises `UserError`, also if another
    program is creating it; a failure leaves nothing behind."""
    try:
        environment.folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parent, reason = environment.folder.parent, error.strerror
        raise UserError(
            f"--install {environment.name}: cannot create {parent} ({reason}); set S2S_ENVIRONMENTS to "
            "another folder"
        ) from error
    try:
        with FileLock(environment.folder.with_suffix(".lock"), timeout=0):
            _create(environment)
    except Timeout:
        raise UserError(
            f"--install {environment.name}: another program is installing it; wait until it is ready"
        ) from None


def _create(environment: Environment) -> None:
    if environment.installed:
        print(f"{environment.name}: already in {environment.folder}", file=sys.stderr)
        return
    shutil.rmtree(environment.folder, ignore_errors=True)
    try:
        for command in steps_of(environment, shutil.which("uv")):
            _run(command, environment.name)
        environment.mark()
    except BaseException:
        shutil.rmtree(environment.folder, ignore_errors=True)
        raise
    print(f"{environment.name}: ready in {environment.folder}", file=sys.stderr)


def steps_of(environment: Environment, uv: str | None) -> list[list[str]]:
    """The commands to run, in order."""
    folder, python, base = str(environment.folder), str(environment.python), _base(environment, uv)
    if uv is not None:
        make = [uv, "venv", "--quiet", "--python", base, folder]
        pip = [uv, "pip", "install", "--python", python]
    else:
        make = [base, "-m", "venv", folder]
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    steps = [make, [*pip, *environment.packages]]
    if environment.without_dependencies:
        steps.append([*pip, "--no-deps", *environment.without_dependencies])
    steps += [[python, _UNPACK, sdist.url, sdist.sha256, sdist.package] for sdist in environment.sdists]
    return steps + [[python, "-P", "-c", check] for check in environment.checks]


def _base(environment: Environment, uv: str | None) -> str:
    """The Python to create it from: the program's own, if all packages exist for it."""
    if _version() in environment.pythons:
        return sys.executable
    if uv is not None:
        return environment.pythons[-1]  # uv finds it, or downloads it
    for version in reversed(environment.pythons):
        if found := shutil.which(f"python{version}"):
            return found
    versions = ", ".join(environment.pythons)
    raise UserError(
        f"--install {environment.name}: expected uv, or one of Python {versions}, got only {_version()}"
    )


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _run(command: Sequence[str], name: str) -> None:
    print(f"$ {shlex.join([Path(command[0]).name, *command[1:]])}", file=sys.stderr)
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    except OSError as error:
        raise UserError(f"--install {name}: {command[0]} cannot be run: {error.strerror}") from error
    if ended.returncode != 0:
        raise UserError(
            f"--install {name} failed at the last command above, with exit code {ended.returncode}"
        )
