"""Separate environments for engines: which there are, and what an engine finds in one."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import catalog.environments
from catalog.environments import Environment, find_environment
from catalog.registry import EngineSpec, all_specs
from engines.isolation.engines import isolate
from engines.isolation.start import ROOT
from pipeline.errors import UserError
from tests.workers import TTS, say, synthesizer

ENGINE = "testing.foreign_engine:ForeignSynthesizer"
EMPTY = Environment("empty", ())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parent of the environments."""
    monkeypatch.setenv("S2S_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment that has numpy, and packages named as folders of ours."""
    environment = Environment("foreign", ("numpy",))
    monkeypatch.setattr(catalog.environments, "ENVIRONMENTS", (environment,))
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
        its, its_too, ours, *_ = engine.info.device.replace(",", "").split()
        assert Path(its).is_relative_to(foreign.folder)
        assert Path(its_too).is_relative_to(foreign.folder)
        assert Path(ours) == ROOT / "utils/voices.py"
        assert engine.info.voices == (), "numpy is all that it needs to be there"
        assert engine.info.device.endswith(", in the environment foreign")


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
            assert engine.info.device.partition(" ")[0] == found.stdout.split()[-1]


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


def test_one_without_its_mark_does_not_count() -> None:
    """As after a power cut."""
    venv.create(EMPTY.folder, symlinks=True)
    assert not EMPTY.installed
