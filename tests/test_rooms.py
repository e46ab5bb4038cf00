"""The rooms of the house: no folder imports one that stands above it, and no imports are circular."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.command import ROOT, tracked

FLOORS = (
    ("pipeline",),
    ("utils",),
    ("catalog",),
    ("VAD", "STT", "LLM", "TTS"),
    ("S2S",),
    ("arguments_classes",),
    ("command_line",),
    ("engines",),
    ("listeners",),
    ("connections",),
    ("commands",),
    ("s2s_pipeline.py", "listen_and_play.py"),
    ("s2s.py",),
    ("testing", "examples"),
    ("benchmarks",),
    ("training", "docs"),
    ("tests",),
)
"""The rooms from the ground up, as in docs/architecture.md. Rooms of one floor do not import each
other."""

LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}

PROGRAM = LEVEL["s2s_pipeline.py"]
"""The floor of the program; above it is what uses the program."""


def module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


FILES = {module_of(file): file for file in tracked("*.py")}


def room_of(file: str) -> str:
    return file.partition("/")[0]


def imported(file: str) -> Iterator[str]:
    """The files of this repository that a file imports anywhere, including imports for type checking
    only."""
    for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name for name in inside if name in FILES] or [node.module]
        else:
            continue
        yield from (FILES[name] for name in names if name in FILES)


IMPORTS: Mapping[str, tuple[str, ...]] = {file: tuple(imported(file)) for file in FILES.values()}


def test_every_folder_has_a_floor() -> None:
    assert {room_of(file) for file in IMPORTS if not file.startswith(".")} == set(LEVEL)


def test_the_package_has_every_folder_of_the_program() -> None:
    """pyproject.toml names them; those that use the program, such as its tests, stay in the checkout."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folders = {file.rpartition("/")[0] for file in IMPORTS if LEVEL.get(room_of(file), 99) < PROGRAM}
    named = {package.partition(".")[2].replace(".", "/") for package in settings["packages"]}
    assert named == {"", *folders}


@pytest.mark.parametrize("file", [file for file in IMPORTS if room_of(file) in LEVEL])
def test_no_import_climbs(file: str) -> None:
    room = room_of(file)
    climbing = [
        other
        for other in IMPORTS[file]
        if room_of(other) != room and LEVEL[room_of(other)] >= LEVEL[room]
    ]
    assert not climbing, f"{file} imports from a room above or beside its own: {climbing}"


@pytest.mark.parametrize("folders", [False, True], ids=["files", "folders"])
def test_no_imports_run_in_a_circle(folders: bool) -> None:
    """With `folders`, also inside a room, such as connections/web and connections/realtime."""

    def place(file: str) -> str:
        parts = file.split("/")
        return "/".join(parts[:2]) if folders and len(parts) > 2 else file

    graph: dict[str, set[str]] = defaultdict(set)
    for file, others in IMPORTS.items():
        graph[place(file)] |= {place(other) for other in others} - {place(file)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" ▶ ".join(error.args[1]))
