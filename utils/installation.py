"""The place where the program runs, a checkout or an installed package, and the commands to type there.

Needs only the standard library, as `utils.launch` does.
"""

import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the program: packages of others with the names of our folders stand elsewhere."""

INSTALLED = not (ROOT / "Makefile").is_file()
"""True if pip, pipx or uv put the program into an environment; a Makefile comes only with a checkout."""

PACKAGE = "s2s-pipeline"


def program() -> str:
    """The name under which the program was started, for its messages: s2s, or s2s_pipeline.py."""
    return "s2s" if INSTALLED or Path(sys.argv[0]).stem == "s2s" else "s2s_pipeline.py"


def command() -> str:
    """The beginning of a command line of the program, for the user to copy."""
    return "s2s" if program() == "s2s" else "python s2s_pipeline.py"


def typed(words: str, otherwise: str) -> str:
    """The command to type: ``s2s`` and these words or, if the program was started by its old name,
    `otherwise`."""
    return f"s2s {words}" if program() == "s2s" else otherwise


def install_extra(extra: str) -> str:
    """The command that installs an extra of pyproject.toml."""
    return pip_install(f"'{PACKAGE}[{extra}]'" if INSTALLED else f"-e '.[{extra}]'")


def install_requirements() -> str:
    """The command that installs the packages that the program always needs."""
    file = shlex.quote(str(ROOT / "requirements.txt")) if INSTALLED else "requirements.txt"
    return pip_install(f"-r {file}")


def pip_install(what: str) -> str:
    """The command that installs `what`, arguments of pip, into the environment of the program."""
    prefix, python = Path(sys.prefix), shlex.quote(sys.executable)
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx runpip {PACKAGE} install {what}"
    if not INSTALLED:
        return f"pip install {what}"
    if find_spec("pip") is None:
        return f"uv pip install --python {python} {what}"
    activated = Path(shutil.which("pip") or "").parent == Path(sys.executable).parent
    return f"pip install {what}" if activated else f"{python} -m pip install {what}"
