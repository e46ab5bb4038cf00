"""The commands to type, for the environment in which the program runs."""

import sys
from pathlib import Path

import pytest

from utils.installation import install_extra, install_requirements


def test_pipx_is_asked_where_it_made_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert install_extra("whisper") == "pip install -e '.[whisper]'"
    (tmp_path / "pipx_metadata.json").write_text("{}")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert install_extra("whisper") == "pipx runpip s2s-pipeline install -e '.[whisper]'"
    assert install_requirements() == "pipx runpip s2s-pipeline install -r requirements.txt"
