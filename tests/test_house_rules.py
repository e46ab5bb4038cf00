"""Rules of the house that a reviewer would otherwise have to check by eye."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, tracked

MAX_FILE_LINES = 400
TRACKED = tracked("*.py")
PROGRAM = [name for name in TRACKED if not name.startswith("tests/")]
STAGES = ("pipeline/", "VAD/", "STT/", "LLM/", "TTS/", "S2S/", "connections/")
NOT_IN_THE_CORE = {
    "asyncio", "fastapi", "moonshine_voice", "nltk", "onnxruntime", "openai", "pocketsphinx", "socket",
    "sounddevice", "torch", "transformers", "websockets",
}  # fmt: skip


def imports(name: str) -> set[str]:
    """The packages that a file imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("name", TRACKED)
def test_files_are_short(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= MAX_FILE_LINES


def test_no_merge_is_half_done() -> None:
    kinds = ("*.py", "*.md", "*.toml", "*.json", "*.js", "*.html", "*.css", "*.yaml")
    texts = [file for kind in kinds for file in tracked(kind)]
    assert not [
        file for file in texts if re.search(r"(?m)^(<{7}|>{7}) ", (ROOT / file).read_text("utf-8"))
    ]


@pytest.mark.parametrize("name", [name for name in PROGRAM if name.startswith("pipeline/")])
def test_the_core_imports_no_model_library_and_no_socket(name: str) -> None:
    assert not imports(name) & NOT_IN_THE_CORE
    assert not imports(name) & {"VAD", "STT", "LLM", "TTS", "S2S", "connections", "listeners"}


@pytest.mark.parametrize("name", [name for name in PROGRAM if name.startswith(STAGES)])
def test_no_stage_sleeps_or_prints_or_swallows_errors(name: str) -> None:
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("time.sleep", "asyncio.sleep"), f"{name}:{node.lineno} sleeps"
            if not name.startswith("connections/") and not name.endswith("/__main__.py"):
                assert called != "print", f"{name}:{node.lineno} prints"
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
            only_passes = all(isinstance(line, ast.Pass) for line in node.body)
            assert not (broad and only_passes), f"{name}:{node.lineno} swallows errors"


def test_nothing_heavy_is_imported_before_it_is_chosen() -> None:
    heavy = ("torch", "onnxruntime", "moonshine_voice", "openai", "nltk", "sounddevice", "transformers")
    code = (
        "import sys; sys.argv = ['x', '--help']; import s2s_pipeline, contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    s2s_pipeline.main(['--help'])\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert printed.strip() == "[]"


def test_the_base_of_all_stages_is_small() -> None:
    lines = Path(ROOT / "pipeline/handler.py").read_text().splitlines()
    assert len(lines) < 150


def test_onnxruntime_is_asked_to_keep_to_itself() -> None:
    """The variable is read when onnxruntime is imported, so no other file may import it first."""
    importers = [
        name
        for name in PROGRAM
        if re.search(r"^import onnxruntime", (ROOT / name).read_text("utf-8"), re.M)
    ]
    assert importers == ["utils/onnx_file.py"]
    code = "import os, VAD.silero, VAD.smart_turn; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "1\n"
