"""The instructions of the documents, carried out."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import ROOT, run, tracked
from tests.speech import RATE_HZ, silence, spoken

QUESTION = "What is the weather like in London today?"


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    soundfile.write(path, np.concatenate((silence(300), spoken(QUESTION), silence(300))), RATE_HZ)
    return path


def test_the_example_of_a_config_file(question: Path, tmp_path: Path) -> None:
    settings = json.loads((ROOT / "config.example.json").read_text())
    output = tmp_path / "reply.wav"
    flags = ("--llm", "eliza", "--input", str(question), "--output", str(output))
    ended = run("config.example.json", *flags)
    assert ended.returncode == 0, ended.stderr
    assert output.exists()
    assert "weather" in ended.stdout
    assert {"mode", "input", "thresh", "stt", "llm", "tts"} <= settings.keys()


def test_adding_an_engine_word_for_word(question: Path, tmp_path: Path) -> None:
    """In a copy of the program: the page's files, row, contract and command."""
    copy = tmp_path / "program"
    for name in tracked("*"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    page = (ROOT / "docs/adding-an-engine.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) == 4
    for block in blocks:
        named = re.match(r"# (\S+\.py)\n", block)
        if named:
            (copy / named[1]).write_text(block)
        else:
            menu = copy / "catalogue" / "tts.py"
            menu.write_text(
                menu.read_text().replace("CATALOGUE = (", f"CATALOGUE = (\n{block.rstrip()},")
            )

    def do(*command: str) -> str:
        ended = subprocess.run(
            [sys.executable, *command],
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    do("-m", "pytest", "tests/test_beeper.py")
    assert "--tts_beep_ms" in do("s2s_pipeline.py", "--tts", "beeper", "--help")
    output = tmp_path / "beeps.wav"
    flags = ("--llm", "eliza", "--tts", "beeper", "--tts_pitch", "1000", "--output", str(output))
    do("s2s_pipeline.py", "--mode", "file", "--input", str(question), *flags)
    beeps, rate_hz = soundfile.read(output)
    spectrum = np.abs(np.fft.rfft(beeps))
    assert np.argmax(spectrum) * rate_hz / len(beeps) == pytest.approx(1000, abs=10)


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs/dependencies.md").read_text()
    required = re.findall(r"^([a-z0-9-]+)[=><]", (ROOT / "requirements.txt").read_text(), re.M)
    assert len(required) > 10
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = {re.split(r"[\[=><; ]", package)[0] for name in extras for package in extras[name]}
    for package in {*required, *optional, "silero-vad"} - {"s2s-pipeline"}:
        assert package in page, package


def test_the_readme_names_what_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", readme, re.M):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"`((?:docs|benchmarks)/[\w.-]*)`", readme):
        assert (ROOT / path).exists(), path
    for command in ("make talk", "make check"):
        assert command in readme
        assert re.search(rf"^(timeout \d+ )?{command}\b", (ROOT / ".ci/run").read_text(), re.M), (
            "CI runs both"
        )


def test_the_example_speaks(tmp_path: Path) -> None:
    file = tmp_path / "spoken.wav"
    ended = subprocess.run(
        [sys.executable, "examples/speak.py", "Hello there.", str(file)], cwd=ROOT, check=False
    )
    assert ended.returncode == 0
    assert soundfile.info(file).duration > 0.5
