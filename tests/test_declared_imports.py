"""Every import is declared: in requirements.txt, or by the extra or the environment of its engine."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from catalog.environments import find_environment
from catalog.registry import STAGES, EngineSpec, all_specs
from tests.check_extras import FEATURES, extras
from tests.command import ROOT, tracked

PROGRAMS = (
    *("s2s", "s2s_pipeline", "listen_and_play"),
    *("engines.isolation.start", "engines.isolation.worker"),
    *("commands.check", "commands.download", "commands.get", "commands.install"),
    *("commands.list_voices", "commands.sdist", "catalog.table", "catalog.weights"),
)
"""Modules that are run by name or by path."""

NOT_THE_PRODUCT = ("tests/", "testing/", "benchmarks/", "training/", "docs/", "tools/", ".ci/")

DISTRIBUTIONS = {
    "TTS": "coqui-tts",
    "melo": "melotts",
    "pipecat": "pipecat-ai",
    "piper": "piper-tts",
    "pydantic_core": "pydantic",  # one project, the one pinned by the other
    "PIL": "pillow",
    "yaml": "pyyaml",
}
"""Modules whose package has another name, for machines where it is not installed."""

PINNED = {"numpy", "safetensors"}
"""Come with the packages of every environment, which are pinned, so that this cannot change."""

ONLY_TESTS = {"ctranslate2", "pipecat-ai", "tokenizers", "vocos"}
"""Makers of tiny models: ctranslate2 comes with faster-whisper, tokenizers with transformers, vocos with
ChatTTS. pipecat is for one benchmark, whose page names it."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a file. `at_start`: it is executed when the file is imported."""

    module: str
    at_start: bool


@cache
def imports(name: str) -> tuple[Import, ...]:
    """All imports of a file but those that only the type checker sees."""
    return tuple(_imports(ast.parse((ROOT / name).read_text("utf-8")), at_start=True))


def _imports(node: ast.AST, *, at_start: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, at_start) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            # a name may be a module of its own: from connections import wire
            files = {alias.name: f"{child.module}.{alias.name}" for alias in child.names}
            modules = {whole if file_of(whole) else child.module for whole in files.values()}
            yield from (Import(module, at_start) for module in sorted(modules))
        is_later = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _imports(child, at_start=at_start and not is_later)


@cache
def file_of(module: str) -> str | None:
    """The file of a module of ours."""
    path = module.replace(".", "/")
    return next((name for name in (f"{path}.py", f"{path}/__init__.py") if name in FILES), None)


def closure(modules: Iterable[str], *, at_start: bool, without: Iterable[str] = ()) -> set[str]:
    """The files that these modules import, directly or not."""
    waiting, left_out = [file_of(module) for module in modules], {*map(file_of, without)}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name is None or name in seen or name in left_out:
            continue
        seen.add(name)
        waiting += [file_of(each.module) for each in imports(name) if each.at_start or not at_start]
    return seen


def imported(files: Iterable[str], *, at_start: bool) -> dict[str, str]:
    """Distributions that files import ▶ one of the files."""
    found: dict[str, str] = {}
    for name in sorted(files):
        for each in imports(name):
            top = each.module.split(".")[0]
            foreign = file_of(each.module) is None and top not in sys.stdlib_module_names
            if foreign and (each.at_start or not at_start):
                found.setdefault(distribution(top), name)
    return found


def distribution(module: str) -> str:
    """The package that has a module."""
    installed = _installed().get(module, [module]) if module not in DISTRIBUTIONS else []
    return normal(DISTRIBUTIONS.get(module) or min(installed))


@cache
def _installed() -> dict[str, list[str]]:
    return {**importlib.metadata.packages_distributions()}


def normal(requirement: str) -> str:
    """The name in a requirement, in one spelling: `Jinja2>=3` ▶ `jinja2`."""
    name = re.split(r"[\[=><~!; ]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


FILES = frozenset(tracked("*.py"))
PRODUCT = {name for name in FILES if not name.startswith(NOT_THE_PRODUCT)}
REQUIRED = {
    normal(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalpha()
}
EXTRAS = {name: {normal(package) for package in packages} for name, packages in extras().items()}
OPTIONAL = set[str]().union(*EXTRAS.values())
BUILT_IN = [spec for spec in all_specs() if spec.extra is None and spec.environment is None]
BY_EXTRA = [spec for spec in all_specs() if spec.extra is not None]
BY_ENVIRONMENT = [spec for spec in all_specs() if spec.environment is not None]
CATALOG = [f"catalog.{stage}" for stage in STAGES]


def module_of(spec: EngineSpec) -> str:
    """Where its class is."""
    return spec.module.partition(":")[0]


def core() -> set[str]:
    """The files that run without any extra."""
    roots = [*PROGRAMS, *map(module_of, BUILT_IN), *CATALOG]
    roots += [spec.arguments.partition(":")[0] for spec in all_specs() if spec.arguments]
    roots += [
        name.removesuffix(".py").replace("/", ".") for name in FILES if name.startswith("examples/")
    ]
    return closure(roots, at_start=False, without=FEATURES.values())


def undeclared(found: dict[str, str], declared: set[str]) -> list[str]:
    """What a person reads if the test fails."""
    return [
        f"{name}: {package} is not declared"
        for package, name in found.items()
        if package not in declared
    ]


def test_what_the_program_needs_at_start_is_required() -> None:
    assert undeclared(imported(core(), at_start=True), REQUIRED) == []


def test_what_it_imports_later_is_required_or_an_extra() -> None:
    assert undeclared(imported(core(), at_start=False), REQUIRED | OPTIONAL) == []


@pytest.mark.parametrize("spec", BY_EXTRA, ids=lambda spec: spec.name)
def test_what_an_engine_imports_is_in_its_extra(spec: EngineSpec) -> None:
    assert spec.extra is not None
    own = closure([module_of(spec)], at_start=False) - core() | {file_of(module_of(spec)) or ""}
    assert undeclared(imported(own, at_start=False), REQUIRED | EXTRAS[spec.extra]) == []


@pytest.mark.parametrize("spec", BY_ENVIRONMENT, ids=lambda spec: spec.name)
def test_what_an_engine_imports_is_in_its_environment(spec: EngineSpec) -> None:
    assert spec.environment is not None
    environment = find_environment(spec.environment)
    packages = [*environment.packages, *environment.without_dependencies, spec.environment]
    declared = {normal(package) for package in packages} | PINNED
    declared |= {distribution(sdist.package) for sdist in environment.sdists}
    assert undeclared(imported(closure([module_of(spec)], at_start=True), at_start=True), declared) == []


@pytest.mark.parametrize("extra", FEATURES)
def test_what_a_feature_imports_is_in_its_extra(extra: str) -> None:
    own = closure([FEATURES[extra]], at_start=False) - core()
    assert own, f"{FEATURES[extra]} is not there"
    assert undeclared(imported(own, at_start=False), REQUIRED | EXTRAS[extra]) == []


def test_every_file_belongs_to_the_program_an_engine_or_a_feature() -> None:
    roots = [*map(module_of, all_specs()), *FEATURES.values()]
    known = core() | closure(roots, at_start=False)
    assert sorted(name for name in PRODUCT - known if not name.endswith("/__init__.py")) == []


def test_what_tests_and_benchmarks_import_is_declared() -> None:
    found = imported(FILES - PRODUCT, at_start=False)
    environments = {
        normal(package)
        for spec in BY_ENVIRONMENT
        for environment in [find_environment(spec.environment or "")]
        for package in (*environment.packages, *environment.without_dependencies)
    }
    assert undeclared(found, REQUIRED | OPTIONAL | environments | ONLY_TESTS | {"melotts"}) == []


def test_the_tests_of_make_check_need_what_dev_brings_or_skip() -> None:
    collected = [
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.parent.name not in ("extras", "isolated", "real")
        and "importorskip" not in path.read_text()
    ]
    found = imported((str(path.relative_to(ROOT)) for path in collected), at_start=True)
    assert undeclared(found, REQUIRED | EXTRAS["dev"]) == []


def test_a_package_that_is_not_declared_is_found() -> None:
    found = imported(closure(["LLM.llama_cpp_chat"], at_start=False), at_start=True)
    assert undeclared(found, REQUIRED - {"jinja2"}) == ["LLM/chat_template.py: jinja2 is not declared"]
