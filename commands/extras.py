"""extras: everything that the chosen parts lack, in one sentence, and its installation, if the user
agrees."""

import importlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from catalog.environments import find_environment
from catalog.presets import PRESETS
from catalog.registry import EngineSpec
from commands.install import create
from pipeline.errors import Unavailable
from utils.device import accelerated
from utils.hub import begun, cached, is_reachable
from utils.installation import INSTALLED, PACKAGE, ROOT, install_extra, typed

if TYPE_CHECKING:
    from command_line.arguments import Arguments
    from command_line.chosen import ChosenEngine


OFFLINE = typed("--preset offline", "python s2s_pipeline.py --preset offline")
"""The command that needs no network."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """The parts of a choice that this machine lacks: engines, and models on the hub."""

    what: str
    """The choice, as it was typed, such as "--preset cpu"."""
    engines: tuple[EngineSpec, ...]
    models: tuple[str, ...]
    size: str

    @property
    def extras(self) -> list[str]:
        """The extras of pyproject.toml that install the engines; those of others are installed."""
        return [spec.extra for spec in self.engines if spec.environment is None and spec.extra]

    @property
    def environments(self) -> list[str]:
        """The environments that the engines need."""
        return [spec.environment for spec in self.engines if spec.environment is not None]

    @property
    def remedy(self) -> str:
        """The one line to type."""
        each = [spec.install for spec in self.engines if spec.environment or not spec.extra]
        extras = [install_extra(",".join(self.extras))] if self.extras else []
        return " && ".join([*extras, *dict.fromkeys(each)])

    def __str__(self) -> str:
        modules = dict.fromkeys(module for spec in self.engines for module in spec.missing())
        models = f"the model{'s' * (len(self.models) > 1)} {_listed(self.models)}"
        parts, size = (
            [*modules, *([models] if self.models else [])],
            f" ({self.size})" if self.size else "",
        )
        are = "is" if len(modules) + len(self.models) == 1 else "are"
        return f"{self.what} needs {_listed(parts)}{size}, which {are} not on this machine"


def find_lacking(arguments: "Arguments") -> Lacking | None:
    """The parts that the chosen ones lack; None: nothing. Of several engines for a stage, one is enough,
    and which models they fetch is left to them."""
    stages = arguments.engines.values()
    engines = tuple(
        choices[0].spec for choices in stages if all(each.spec.missing() for each in choices)
    )
    models = tuple(_models(choices[0] for choices in stages if len(choices) == 1))
    if not engines and not models:
        return None
    module = arguments.module
    preset = "mac" if module.local_mac_optimal_settings else module.preset
    what = " ".join(f"--{spec.stage} {spec.name}" for spec in engines)
    if preset is None:
        return Lacking(what, engines, models, "") if engines else None
    return Lacking(f"--preset {preset}", engines, models, PRESETS[preset].size)


def provide(arguments: "Arguments") -> None:
    """Make sure that the chosen parts are installed: on a terminal, offer to install them. Raises
    `Unavailable` with everything that is missing and the one command that installs it."""
    lacking = find_lacking(arguments)
    if lacking is None:
        return
    if arguments.module.device in ("cuda", "mps") and not accelerated():
        return  # another machine is needed, not packages
    if lacking.models and not is_reachable():
        raise Unavailable(f"{lacking}, and the network cannot be reached; {OFFLINE} works now")
    if not lacking.engines:
        print(f"  {lacking}: downloading", file=sys.stderr)
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Unavailable(f"{lacking}; type: {lacking.remedy}")
    if not _agrees(lacking):
        raise Unavailable(
            f"{lacking.what} is not installed; to install it later, type: {lacking.remedy}"
        )
    if lacking.extras:
        _run(_pip(lacking.extras), lacking)
    for name in lacking.environments:
        create(find_environment(name))
    importlib.invalidate_caches()


def _models(choices: "Iterator[ChosenEngine]") -> Iterator[str]:
    for choice in choices:
        name = str(choice.settings.get("model_name"))
        on_the_hub = "remote" not in choice.spec.devices and "/" in name
        if on_the_hub and cached(name) is None and begun(name) is None:
            yield name


def _agrees(lacking: Lacking) -> bool:
    """True if the user, at a terminal, wants it installed."""
    print(f"  {lacking}.\n  Install now? [Y/n] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return answer != "" and answer.strip().lower() in ("", "y", "yes")


def _pip(extras: Sequence[str]) -> list[str]:
    """The command that installs extras into the environment of the program."""
    names = ",".join(extras)
    target = [f"{PACKAGE}[{names}]"] if INSTALLED else ["-e", f"{ROOT}[{names}]"]
    if find_spec("pip") is None and (uv := shutil.which("uv")):
        return [uv, "pip", "install", "--python", sys.executable, *target]
    return [sys.executable, "-m", "pip", "install", *target]


def _run(install: Sequence[str], lacking: Lacking) -> None:
    print(f"$ {shlex.join(install)}", file=sys.stderr)
    if subprocess.run(install, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode:
        raise Unavailable(
            f"the packages for {lacking.what} could not be installed, for the reason above; "
            f"{OFFLINE} works now"
        )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
