"""Starts a worker: run by path, with the Python of its environment. It needs nothing but numpy there.

Our folders have names that packages have too (coqui-tts brings a package `TTS`), so the root of the
program must not stand in `sys.path`. Instead each of our packages is found by its name, except those
that are the environment's own here.
"""

import sys
from collections.abc import Collection, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


class OwnPackages(MetaPathFinder):
    """Finds the packages of the program before all others of the same name, except `foreign`."""

    def __init__(self, foreign: Collection[str]) -> None:
        names = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").is_file()}
        self._names = names - set(foreign)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find one of our packages; Python finds its modules."""
        return PathFinder.find_spec(fullname, [str(ROOT)]) if fullname in self._names else None


def find_own_packages(foreign: Collection[str]) -> None:
    """Import our packages from now on, without the root in `sys.path`."""
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
    sys.meta_path.insert(0, OwnPackages(foreign))


if __name__ == "__main__":
    lifeline, *foreign = sys.argv[1:]
    find_own_packages(foreign)
    from engines.isolation.worker import run

    run(int(lifeline), foreign, ROOT)
