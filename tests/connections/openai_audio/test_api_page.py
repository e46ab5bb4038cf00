"""The examples of docs/api.md, carried out."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import soundfile

from tests.command import ROOT
from tests.connections.openai_audio.conftest import RealServer
from tests.speech import RATE_HZ, silence, spoken

PAGE = (ROOT / "docs/api.md").read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    said = np.concatenate((silence(300), spoken("Where are we going today?"), silence(300)))
    soundfile.write(tmp_path / "question.wav", said, RATE_HZ)
    return tmp_path


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)\n```$", PAGE, re.S | re.M)


def carry_out(server: RealServer, folder: Path, program: str, *command: str) -> str:
    """The output of one example, in a folder with a question."""
    here = program.replace("localhost:8000", f"127.0.0.1:{server.port}")
    ended = subprocess.run(
        [*command, here], cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_examples_in_python(real_server: RealServer, folder: Path) -> None:
    speech, transcription = blocks("python")
    carry_out(real_server, folder, speech, sys.executable, "-c")
    assert (folder / "kettle.wav").stat().st_size > 50_000
    printed = carry_out(real_server, folder, transcription, sys.executable, "-c")
    assert "going" in printed
    assert "transcript.text.done" in printed


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_examples_with_curl(real_server: RealServer, folder: Path) -> None:
    speech, transcription = re.findall(r"^```\n(curl .*?)\n```$", PAGE, re.S | re.M)
    carry_out(real_server, folder, speech, "bash", "-c")
    assert soundfile.info(folder / "kettle.mp3").duration > 0.5
    assert "going" in json.loads(carry_out(real_server, folder, transcription, "bash", "-c"))["text"]


def test_the_example_of_the_program_has_its_shape(real_server: RealServer) -> None:
    [block] = blocks("json")
    shown: Any = json.loads(block)
    answer = httpx2.get(
        f"http://127.0.0.1:{real_server.port}/v1/info", trust_env=False, timeout=60
    ).json()
    assert shown.keys() == answer.keys()
    for name in ("parts", "voices", "languages"):
        assert shown[name][0].keys() == answer[name][0].keys()
    assert shown["turn_taking"] == answer["turn_taking"]
