"""Installer: `--install NAME` makes an environment, with uv where it is there, else with venv and pip.
Both get packages from wherever they are configured to (pip.conf, PIP_*, UV_*)."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from catalogue.environments import Environment
from pipeline.errors import UserError

_UNPACK = str(Path(__file__).with_name("sdist.py"))


def install(environment: Environment) -> None:
    """Make it, unless it is there, and say what is done. Raises `UserError`, also while somebody
    else makes it; of one that failed nothing is left."""
    try:
        environment.folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parent, reason = environment.folder.parent, error.strerror
        raise UserError(
            f"--install {environment.name}: {parent} cannot be made ({reason}); name another place by "
            "S2S_ENVIRONMENTS"
        ) from error
    try:
        with FileLock(environment.folder.with_suffix(".lock"), timeout=0):
            _install(environment)
    except Timeout:
        raise UserError(
            f"--install {environment.name}: another program is installing it; wait until it is ready"
        ) from None


def _install(environment: Environment) -> None:
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
    """What is run, one after the other."""
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
    """The Python to make it from: the program's own, where there are packages for it."""
    if _version() in environment.pythons:
        return sys.executable
    if uv is not None:
        return environment.pythons[-1]  # which uv finds, or downloads
    for version in reversed(environment.pythons):
        if found := shutil.which(f"python{version}"):
            return found
    versions = ", ".join(environment.pythons)
    raise UserError(
        f"--install {environment.name}: expected uv, or a Python of {versions}, got only {_version()}"
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
