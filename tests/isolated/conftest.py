"""Where an engine has its environment our packages are found without the root of the checkout in
`sys.path`, as in a worker: Coqui's package is called TTS, as our folder is, and some bring a `tests`."""

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]


class _OwnPackages:
    names = frozenset(folder.name for folder in _ROOT.iterdir() if (folder / "__init__.py").is_file())

    @classmethod
    def find_spec(cls, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(_ROOT)]) if name in cls.names else None


def pytest_configure(config: pytest.Config) -> None:
    if config.inipath != _HERE / "pytest.ini":
        return  # all tests run, in the environment of the program, where these are skipped
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models are fastest on one
    sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != _ROOT]
    if importlib.util.find_spec("TTS") is not None:  # Coqui's, since ours cannot be found yet
        _OwnPackages.names -= {"TTS"}
    sys.meta_path.insert(0, _OwnPackages)
