"""Environments of their own for engines: how they are made, and what an engine finds in one."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import catalogue.environments
import commands.install
from catalogue.environments import ENVIRONMENTS, Environment, find_environment
from catalogue.registry import EngineSpec, all_specs
from commands.install import install, steps_of
from engines.isolation.engines import isolate
from engines.isolation.start import ROOT
from pipeline.errors import UserError
from tests.command import run
from tests.workers import TTS, say, synthesizer

ENGINE = "testing.foreign_engine:ForeignSynthesizer"
EMPTY = Environment("empty", ())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where environments are made."""
    monkeypatch.setenv("S2S_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment that has numpy, and packages named as folders of ours."""
    environment = Environment("foreign", ("numpy",))
    monkeypatch.setattr(catalogue.environments, "ENVIRONMENTS", (environment,))
    venv.create(environment.folder, symlinks=True)
    (packages,) = environment.folder.glob("lib/python*/site-packages")
    for name in ("numpy", "numpy.libs"):
        if (origin := Path(np.__file__).parent.parent / name).exists():
            (packages / name).symlink_to(origin)
    for name in ("TTS", "testing", "utils"):
        (packages / name).mkdir()
        (packages / name / "__init__.py").touch()
    (packages / "TTS" / "api.py").write_text("class TTS: pass\n")
    environment.mark()
    return environment


def test_an_engine_gets_the_packages_of_its_environment_and_ours_beside_them(
    foreign: Environment,
) -> None:
    spec = EngineSpec("tts", "f", "", ENGINE, environment="foreign", foreign=("TTS", "testing"))
    with synthesizer(spec) as engine:
        its, its_too, ours, *_ = engine.info.about.replace(";", "").split()
        assert Path(its).is_relative_to(foreign.folder)
        assert Path(its_too).is_relative_to(foreign.folder)
        assert Path(ours) == ROOT / "utils/voices.py"
        assert engine.info.voices == (), "numpy is all that it needs to be there"
        assert engine.info.about.endswith("; in the environment foreign")


def test_without_a_word_they_are_ours(foreign: Environment) -> None:
    with synthesizer(EngineSpec("tts", "null", "", TTS.module, environment="foreign")) as engine:
        assert say(engine, "one two") == 2


def test_the_real_coqui_is_found_beside_our_folder(tmp_path: Path) -> None:
    """Where coqui-tts is installed, and complete, in the environment of the tests."""
    asked = "from TTS.api import TTS; import inspect; print(inspect.getfile(TTS))"
    found = subprocess.run(
        [sys.executable, "-P", "-c", asked], cwd="/", capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("coqui-tts cannot be imported")
    (tmp_path / "testing.py").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        spec = EngineSpec("tts", "coqui", "", ENGINE, needs=("TTS",), foreign=("TTS", "testing"))
        assert spec.missing() == []
        with synthesizer(spec) as engine:
            assert engine.info.about.split()[0] == found.stdout.split()[-1]


def test_a_foreign_package_that_is_not_installed_is_missing() -> None:
    spec = EngineSpec("tts", "made-up", "", "x:Y", needs=("listeners",), foreign=("listeners",))
    assert spec.missing() == ["listeners"]


def test_one_that_is_not_installed_is_told_with_the_command_that_makes_it() -> None:
    spec = EngineSpec("tts", "made-up", "", "x:Y", environment="parler")
    with pytest.raises(UserError, match=r"type: python s2s_pipeline.py --install parler"):
        isolate(spec, {}, "cpu")


def test_every_environment_that_the_menus_name_is_in_the_table() -> None:
    for spec in all_specs():
        if spec.environment is not None:
            find_environment(spec.environment)


@pytest.mark.parametrize("with_uv", [True, False])
def test_it_is_made_once(
    with_uv: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    uv = shutil.which("uv")
    if with_uv and uv is None:
        pytest.skip("uv is not here")
    monkeypatch.setattr(commands.install.shutil, "which", lambda name: uv if with_uv else None)
    environment = Environment("empty", ("pip",), checks=("import pip",))
    monkeypatch.setattr(commands.install, "steps_of", without_a_network(environment))
    install(environment)
    assert environment.installed
    assert "$ " in capfd.readouterr().err
    install(environment)
    assert "already in" in capfd.readouterr().err
    changed = Environment("empty", ("pip", "numpy"))
    assert not changed.installed, "it was made of something else"


def without_a_network(environment: Environment):  # type: ignore[no-untyped-def]
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
    monkeypatch.setattr(commands.install.shutil, "which", lambda name: uv if with_uv else None)
    with pytest.raises(UserError, match="--install broken failed at the last command above, with exit"):
        install(broken)
    assert not broken.installed
    assert [entry.name for entry in folder.iterdir()] == ["broken.lock"]


def test_two_at_once_do_not_take_it_from_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(environment: Environment, uv: str | None) -> list[list[str]]:
        with pytest.raises(UserError, match="--install empty: another program is installing it"):
            install(environment)
        return [[sys.executable, "-m", "venv", "--without-pip", str(environment.folder)]]

    monkeypatch.setattr(commands.install, "steps_of", meanwhile)
    install(EMPTY)
    assert EMPTY.installed


def test_one_without_its_mark_does_not_count() -> None:
    """As after a power cut."""
    venv.create(EMPTY.folder, symlinks=True)
    assert not EMPTY.installed


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
    monkeypatch.setattr(commands.install.shutil, "which", lambda name: None)
    with pytest.raises(UserError, match=r"expected uv, or a Python of 3.7, 3.8, got only 3\."):
        steps_of(environment, None)


def test_the_command_knows_what_there_is() -> None:
    ended = run("--install", "nothing")
    assert ended.returncode == 2
    names = ", ".join(environment.name for environment in ENVIRONMENTS)
    assert f"--install: expected one of {names}, got 'nothing'" in ended.stderr
