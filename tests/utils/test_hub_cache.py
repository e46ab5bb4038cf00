"""Models in the hub's cache, without a network."""

import subprocess
import sys
from pathlib import Path

from tests.command import ROOT

_FETCH = """
import sys
from pipeline.errors import UserError
from utils.hub import fetch
try:
    print(fetch("who/voices", "--tts_voice", files=sys.argv[1].split(), repo_type=sys.argv[2]).name)
except UserError as error:
    print(error)
"""


def fetch(cache: Path, files: str, repo_type: str = "model") -> str:
    environment = {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "PATH": ""}
    command = [sys.executable, "-c", _FETCH, files, repo_type]
    return subprocess.check_output(command, cwd=ROOT, env=environment, text=True).strip()


def test_what_is_cached_is_taken_and_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """In a repository with many voices, one may be cached and another not."""
    for kind in ("models", "datasets"):
        repository = tmp_path / f"{kind}--who--voices"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs/main").write_text("0" * 40)
        (repository / "snapshots" / ("0" * 40)).mkdir(parents=True)
    (tmp_path / "models--who--voices/snapshots" / ("0" * 40) / "one.onnx").touch()
    (tmp_path / "datasets--who--voices/snapshots" / ("0" * 40) / "data.zip").touch()
    assert fetch(tmp_path, "one.onnx") == "0" * 40
    assert fetch(tmp_path, "one.onnx *.json") == "0" * 40
    assert "HF_HUB_OFFLINE forbids asking the hub" in fetch(tmp_path, "one.onnx two.onnx")
    assert fetch(tmp_path, "data.zip", "dataset") == "0" * 40
    assert "--tts_voice who/voices" in fetch(tmp_path, "data.zip")
