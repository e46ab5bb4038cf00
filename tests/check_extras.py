"""Install each small extra alone and import its engine: `python -m tests.check_extras [EXTRA ...]`."""

import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent

FEATURES = {
    "webrtc": "connections.realtime.webrtc",
    "report": "listeners.latency_report",
    "codec": "S2S.codec.__main__",
}
"""Extras that belong to no engine, and the module that needs each."""

COLLECTIONS = ("engines", "dev")
"""Extras that are tested as a whole: `make test-engines`, `make check`."""

TOO_LARGE = {
    "mlx-whisper": "brings torch, which takes gigabytes",
    "whisper-mlx": "brings torch, which takes gigabytes",
}
"""Those that name torch themselves are left out, too. `make test-engines` has them all."""

_IMPORT = """
import importlib
import sys
from catalog.registry import all_specs
extra, *modules = sys.argv[1:]
for spec in all_specs():
    if spec.extra == extra:
        spec.load()
for module in modules:
    importlib.import_module(module)
"""


def extras() -> dict[str, list[str]]:
    """The extras of pyproject.toml ▶ their packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return dict(project["optional-dependencies"])


def reason_to_skip(extra: str, packages: list[str]) -> str | None:
    """Why an extra is not installed here; None: it is."""
    if any(package.startswith("torch") for package in packages):
        return "asks for torch, which takes gigabytes"
    return TOO_LARGE.get(extra)


def make_environment(folder: Path) -> Path:
    """An environment with requirements.txt alone; returns its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    _pip(python, "install", "-r", str(ROOT / "requirements.txt"))
    return python


def check(extra: str, packages: list[str], python: Path) -> None:
    """Install one extra into an environment and import what needs it. Raises `CalledProcessError`."""
    _pip(python, "install", *packages)
    _pip(python, "check")
    modules = [FEATURES[extra]] if extra in FEATURES else []
    if extra == "report":
        modules.append("plotly.graph_objects")  # its module imports it when there is something to draw
    subprocess.run([python, "-c", _IMPORT, extra, *modules], cwd=ROOT, check=True)


def _pip(python: Path, *argv: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([python, "-m", "pip", *argv, *quiet], cwd=ROOT, check=True)


def main(chosen: list[str]) -> int:
    """Check the chosen extras, or all; 1 if one cannot be installed or imported."""
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare")
        make_environment(bare)
        for extra, packages in extras().items():
            if extra in COLLECTIONS or (chosen and extra not in chosen):
                continue
            if reason := reason_to_skip(extra, packages):
                print(f"skipped  {extra}: {reason}", flush=True)
                continue
            began = time.monotonic()
            own = shutil.copytree(
                bare, Path(folder, extra), symlinks=True
            )  # a third of a new one's time
            try:
                check(extra, packages, own / "bin" / "python")
                print(f"ok       {extra}, {time.monotonic() - began:.0f} s", flush=True)
            except subprocess.CalledProcessError as error:
                print(f"failed   {extra}: {error}", flush=True)
                failed.append(extra)
            shutil.rmtree(own)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
