"""`--install`: how an environment is created, and that a failure leaves nothing behind."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import commands.install
from catalog.environments import ENVIRONMENTS, Environment
from commands.install import create, steps_of
from pipeline.errors import UserError
from tests.command import run

EMPTY = Environment("empty", ())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parent of the environments."""
    monkeypatch.setenv("S2S_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


@pytest.mark.parametrize("with_uv", [True, False])
def test_it_is_made_once(
    with_uv: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    uv = shutil.which("uv")
    if with_uv and uv is None:
        pytest.skip("uv is not here")
    monkeypatch.setattr(shutil, "which", lambda name: uv if with_uv else None)
    environment = Environment("empty", ("pip",), checks=("import pip",))
    monkeypatch.setattr(commands.install, "steps_of", without_a_network(environment))
    create(environment)
    assert environment.installed
    assert "$ " in capfd.readouterr().err
    create(environment)
    assert "already in" in capfd.readouterr().err
    changed = Environment("empty", ("pip", "numpy"))
    assert not changed.installed, "it was made of something else"


def without_a_network(environment: Environment) -> Callable[[Environment, str | None], list[list[str]]]:
    """The same commands; what would be downloaded is left out."""
    return lambda environment, uv: [
        [*step, "--seed"] if "--quiet" in step else step
        for step in steps_of(environment, uv)
        if "install" not in step
    ]


@pytest.mark.parametrize("with_uv", [True, False])
@pytest.mark.parametrize(
    "broken",
    [
        Environment("broken", ("/nowhere/of-any-package.whl",)),
        Environment("broken", (), checks=("import a_package_that_is_nowhere",)),
    ],
)
def test_nothing_is_left_of_one_that_failed(
    broken: Environment, with_uv: bool, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    uv = shutil.which("uv")
    if with_uv and uv is None:
        pytest.skip("uv is not here")
    monkeypatch.setattr(shutil, "which", lambda name: uv if with_uv else None)
    with pytest.raises(UserError, match="--install broken failed at the last command above, with exit"):
        create(broken)
    assert not broken.installed
    assert [entry.name for entry in folder.iterdir()] == ["broken.lock"]


def test_two_at_once_do_not_take_it_from_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(environment: Environment, uv: str | None) -> list[list[str]]:
        with pytest.raises(UserError, match="--install empty: another program is installing it"):
            create(environment)
        return [[sys.executable, "-m", "venv", "--without-pip", str(environment.folder)]]

    monkeypatch.setattr(commands.install, "steps_of", meanwhile)
    create(EMPTY)
    assert EMPTY.installed


def test_what_is_run_with_uv_and_without() -> None:
    environment = Environment("e", ("a==1",), without_dependencies=("b==2",), checks=("import a",))
    python = str(environment.python)
    assert steps_of(environment, "uv") == [
        ["uv", "venv", "--quiet", "--python", sys.executable, str(environment.folder)],
        ["uv", "pip", "install", "--python", python, "a==1"],
        ["uv", "pip", "install", "--python", python, "--no-deps", "b==2"],
        [python, "-P", "-c", "import a"],
    ]
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    assert steps_of(environment, None) == [
        [sys.executable, "-m", "venv", str(environment.folder)],
        [*pip, "a==1"],
        [*pip, "--no-deps", "b==2"],
        [python, "-P", "-c", "import a"],
    ]


def test_another_python_is_used_where_there_are_no_packages_for_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = Environment("e", (), pythons=("3.7", "3.8"))
    assert steps_of(environment, "uv")[0][4] == "3.8"
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match=r"expected uv, or one of Python 3.7, 3.8, got only 3\."):
        steps_of(environment, None)


def test_the_command_knows_what_there_is() -> None:
    ended = run("--install", "nothing")
    assert ended.returncode == 2
    names = ", ".join(environment.name for environment in ENVIRONMENTS)
    assert f"--install: expected one of {names}, got 'nothing'" in ended.stderr
