"""Environments: where engines live whose packages cannot live beside the program's."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.errors import UserError

_MARK = "installed.json"
"""Written last, so that what was not finished does not count."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What belongs into one, as pip understands it."""

    name: str
    packages: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()
    """Installed behind the others as they are, since what they say they need is wrong."""
    checks: tuple[str, ...] = ()
    """Python, each of which must run in it."""
    pythons: tuple[str, ...] = ("3.11", "3.12", "3.13")
    """Those for which there are all packages."""

    @property
    def folder(self) -> Path:
        """Where it is, or belongs."""
        return environments_folder() / self.name

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def contents(self) -> str:
        """What it was made of, for its mark."""
        return json.dumps(asdict(self), indent=1)

    @property
    def installed(self) -> bool:
        """Whether it is there, whole, and of what this table says."""
        mark = self.folder / _MARK
        return mark.is_file() and mark.read_text("utf-8") == self.contents

    def mark(self) -> None:
        """It is complete."""
        (self.folder / _MARK).write_text(self.contents, "utf-8")


ENVIRONMENTS = (
    Environment(
        "parler",
        ("torch>=2.4", "torchaudio", "parler-tts==0.2.3", "transformers==4.46.1"),
        checks=("import parler_tts",),
    ),
    Environment(
        "qwen",
        ("torch>=2.4", "torchaudio", "qwen-tts==0.1.1", "transformers==4.57.3", "accelerate==1.12.0"),
        checks=("import qwen_tts",),
    ),
    Environment(
        # `codec` is asked for by torch from 2.9 on, the rest by XTTS; `six` is used without being named
        "coqui",
        ("torch>=2.4", "torchaudio", "coqui-tts[codec,ja,ko,zh]==0.28.0", "six"),
        checks=("from TTS.api import TTS",),
    ),
)


def environments_folder() -> Path:
    """In which each has a folder: S2S_ENVIRONMENTS, else among the user's data."""
    if chosen := os.environ.get("S2S_ENVIRONMENTS"):
        return Path(chosen).expanduser()
    import platformdirs  # not above: most runs use none of them

    return platformdirs.user_data_path("s2s-pipeline", appauthor=False) / "environments"


def find_environment(name: str) -> Environment:
    """By its name. Raises `UserError`."""
    for environment in ENVIRONMENTS:
        if environment.name == name:
            return environment
    names = ", ".join(environment.name for environment in ENVIRONMENTS)
    raise UserError(f"--install: expected one of {names}, got {name!r}")


def python_of(environment: str | None) -> str:
    """The interpreter of an environment; None: the program's own."""
    return sys.executable if environment is None else str(find_environment(environment).python)
