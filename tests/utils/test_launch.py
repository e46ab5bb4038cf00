"""The first seconds: Ctrl-C at any moment, Pythons that lack packages."""

import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.command import ROOT

PROGRAMS = ("s2s_pipeline.py", "listen_and_play.py")

STARTED = (
    "import os, runpy, signal, sys\n"
    "signal.signal(signal.SIGINT, lambda *_: os._exit(130))\n"  # until the program sets its own
    "os.write(1, b'.')\n"
    "sys.argv = sys.argv[1:]\n"
    "sys.path.insert(0, os.getcwd())\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)
"""Runs a program, and says when the interpreter is done with its own start, which is not ours."""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("after_ms", [0, 50, 100, 200, 300, 500, 700, 900, 1200, 1600, 2000])
def test_ctrl_c_never_prints_a_traceback(program: str, after_ms: int, tmp_path: Path) -> None:
    flags = ["--mode", "websocket", "--port", "0"] if program == "s2s_pipeline.py" else []
    started = subprocess.Popen(
        [sys.executable, "-c", STARTED, program, *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with started:
        assert started.stdout is not None
        assert started.stdout.read(1) == b"."
        try:
            # a client without a sound device ends by itself
            code = started.wait(after_ms / 1000)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGINT)
            code = started.wait(60)
        assert started.stderr is not None
        told = started.stderr.read().decode()
    assert "Traceback" not in told
    assert code == 130 or (program == "listen_and_play.py" and code in (3, -signal.SIGINT)), told


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with nothing installed."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run_with(python: Path, *argv: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [python, *argv], cwd=cwd, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_python_without_the_packages_says_what_to_type(program: str, bare: Path) -> None:
    ended = run_with(bare, program)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{program}: ")
    assert ended.stderr.endswith(
        f" is not installed for {bare}; type: pip install -r requirements.txt\n"
    )
    assert len(ended.stderr.splitlines()) == 1


def test_elsewhere_it_says_where_the_requirements_are(bare: Path, tmp_path: Path) -> None:
    ended = run_with(bare, str(ROOT / "s2s_pipeline.py"), cwd=tmp_path)
    assert ended.stderr.endswith(f"; type: pip install -r {ROOT}/requirements.txt\n")


@pytest.mark.skipif(os.name == "nt", reason="other commands there")
@pytest.mark.parametrize(
    ("ready", "command"),
    [(True, ". .venv/bin/activate"), (False, "make setup && . .venv/bin/activate")],
)
def test_the_python_of_the_system_is_led_into_the_environment(
    ready: bool, command: str, tmp_path: Path
) -> None:
    root = tmp_path / "checkout"
    (root / "utils").mkdir(parents=True)
    files = ("utils/__init__.py", "utils/launch.py", "utils/installation.py", "Makefile")
    for name in (*files, "requirements.txt"):
        shutil.copy(ROOT / name, root / name)
    (root / "program.py").write_text(
        "from utils.launch import prepare_launch\nprepare_launch('program.py')\nimport soundfile\n"
    )
    if ready:
        (root / ".venv").mkdir()
        (root / ".venv" / "ready").touch()
    system = Path(sys.base_prefix, "bin", "python3")
    # -I -S: as if nothing had been installed for everybody either
    program = f"import sys; sys.path.insert(0, {str(root)!r}); import program"
    ended = run_with(system, "-I", "-S", "-c", program, cwd=root)
    assert ended.returncode == 2
    assert ended.stderr == f"program.py: soundfile is not installed for {system}; type: {command}\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("import pipeline.nothing", "No module named 'pipeline.nothing'"),
        ("import nothing_at_all", "No module named 'nothing_at_all'"),
        ("from pipeline.errors import Nothing", "cannot import name 'Nothing'"),
    ],
)
def test_mistakes_of_ours_are_not_hidden(line: str, told: str) -> None:
    launch = "from utils.launch import prepare_launch; prepare_launch('x'); "
    ended = run_with(Path(sys.executable), "-c", launch + line)
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert told in ended.stderr
