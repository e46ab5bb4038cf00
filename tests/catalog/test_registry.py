"""Rows of the catalog that cannot be loaded."""

import sys
from pathlib import Path

import pytest

from catalog.registry import EngineSpec
from pipeline.errors import UserError


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("libgomp.so.1: cannot open shared object file", "apt install libgomp1"),
        ("DLL load failed", "DLL load failed$"),
    ],
)
def test_a_package_without_its_library_is_one_sentence(
    reason: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "engine_without_library.py").write_text(f"raise ImportError({reason!r})")
    monkeypatch.syspath_prepend(tmp_path)
    spec = EngineSpec("llm", "mine", "an engine", "engine_without_library:Model", needs=("sys",))
    with pytest.raises(UserError, match=rf"--llm mine cannot be loaded: .*{told}"):
        spec.load()
    assert "engine_without_library" not in sys.modules
