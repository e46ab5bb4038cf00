"""Which engine runs without a flag: the cache here is a folder that a test fills."""

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from catalog import choice
from catalog.choice import PREFERRED, Preferred, choose
from catalog.registry import find, specs
from command_line.parse import parse_command_line
from tests.command import ROOT


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no GPU."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(choice, "accelerated", lambda: False)
    return tmp_path


def keep(cache: Path, model: str, *files: str) -> Path:
    """A model in the cache, as the client of the hub leaves it there."""
    folder = cache / f"models--{model.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    for file in files:
        path = folder / "snapshots" / ("0" * 40) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
    return folder


def prefer(monkeypatch: pytest.MonkeyPatch, *preferred: Preferred, stage: str = "stt") -> None:
    monkeypatch.setitem(choice.PREFERRED, stage, preferred)


MODEL = Preferred("pocketsphinx", "someone/model", ("*.bin",))
"""An engine that the tests have, as if it had a model."""


def test_an_empty_cache_means_what_is_built_in(cache: Path) -> None:
    arguments = parse_command_line([])
    assert arguments.engines["tts"][0].spec.name == "espeak"
    assert arguments.engines["stt"][0].spec.name in ("moonshine", "pocketsphinx")
    assert arguments.engines["stt"][0].why == arguments.engines["tts"][0].why == ""


def test_a_better_engine_is_taken_once_its_model_is_here(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    prefer(monkeypatch, MODEL, Preferred("moonshine"))
    assert choose("stt", []).spec.name == "moonshine"
    model = keep(cache, "someone/model", "weights.bin")
    chosen = choose("stt", [])
    assert (chosen.spec.name, chosen.model) == ("pocketsphinx", "someone/model")
    assert chosen.why == "someone/model is in the cache; for the built-in engine: --stt moonshine"
    assert parse_command_line(["--stt", "moonshine"]).engines["stt"][0].spec.name == "moonshine"
    assert choose("stt", ["--stt_model_name", "base-ja"]).spec.name == "moonshine"
    assert choose("stt", ["--tts_voice", "te"]).spec.name == "pocketsphinx"
    (model / "blobs").mkdir()
    (model / "blobs" / "0.incomplete").write_bytes(b"")
    assert choose("stt", []).spec.name == "moonshine", "half a model is none"


def test_a_better_engine_is_not_taken_for_a_language_that_it_lacks(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    english = Preferred("pocketsphinx", "someone/model", ("*.bin",), languages=("en",))
    prefer(monkeypatch, english, Preferred("moonshine"))
    keep(cache, "someone/model", "weights.bin")
    assert choose("stt", [], "en").spec.name == "pocketsphinx"
    assert choose("stt", [], "te").spec.name == "moonshine"
    assert parse_command_line(["--language", "te"]).engines["stt"][0].spec.name == "moonshine"


def test_what_is_cached_but_not_all_that_is_needed_is_not_taken(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    prefer(monkeypatch, MODEL, Preferred("moonshine"))
    keep(cache, "someone/model", "README.md")
    assert choose("stt", []).spec.name == "moonshine"
    prefer(monkeypatch, Preferred("pocketsphinx", "someone/model", needs=("not_installed",)), *PLAIN)
    assert choose("stt", []).spec.name == "moonshine"
    prefer(monkeypatch, Preferred("pocketsphinx", "someone/model", accelerated=True), *PLAIN)
    assert choose("stt", []).spec.name == "moonshine"
    monkeypatch.setattr(choice, "accelerated", lambda: True)
    assert choose("stt", []).spec.name == "pocketsphinx"


PLAIN = (Preferred("moonshine"),)


def test_what_was_chosen_is_told_and_called_with_its_model(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Moonshine itself stands for a better engine: its built-in model, by name."""
    from engines.loader import load_engines

    pytest.importorskip("moonshine_voice")
    prefer(monkeypatch, Preferred("moonshine", "tiny-en"), Preferred("pocketsphinx"))
    keep(cache, "tiny-en", "encoder.ort")
    arguments = parse_command_line(["--llm", "eliza"])
    assert arguments.engines["stt"][0].settings["model_name"] == "tiny-en"
    load_engines(arguments).close()
    told = "        tiny-en is in the cache; for the built-in engine: --stt pocketsphinx\n"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "preferred"),
    [(stage, engine) for stage, engines in PREFERRED.items() for engine in engines if engine.model],
)
def test_the_table_asks_for_what_the_engine_fetches(stage: str, preferred: Preferred) -> None:
    """Or something would be downloaded that nobody asked for. The engine's package may be missing, so
    its source is read."""
    spec = find(stage, preferred.name)
    tree = ast.parse((ROOT / (spec.module.partition(":")[0].replace(".", "/") + ".py")).read_text())
    constants = {
        ast.unparse(line.targets[0]): line.value for line in tree.body if isinstance(line, ast.Assign)
    }
    defaults = {
        argument.arg: default
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
        for argument, default in zip(
            function.args.args[::-1], function.args.defaults[::-1], strict=False
        )
    }
    fetches = ("fetch", "fetch_pretrained")
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) in fetches]
    assert calls
    for call in calls:
        wanted: Any = next((word.value for word in call.keywords if word.arg == "files"), None)
        wanted = constants.get(ast.unparse(wanted), wanted) if wanted is not None else None
        names = [] if wanted is None else [defaults.get(ast.unparse(name), name) for name in wanted.elts]
        files = None if wanted is None else tuple(map(ast.literal_eval, names))
        assert files == preferred.files


def test_looking_takes_no_time_and_does_not_import_the_client_of_the_hub(tmp_path: Path) -> None:
    """A process of its own: what it imports is the measure; the time is printed by the benchmark. To
    know where the cache is, only the constants of the hub are imported."""
    code = (
        "import sys; import command_line.parse as c; before = set(sys.modules)\n"
        "from catalog.choice import choose\n"
        "choose('stt', []); choose('tts', [])\n"
        "print(sorted(n for n in set(sys.modules) - before if '.' not in n))"
    )
    environment = os.environ | {"HF_HUB_CACHE": str(tmp_path)}
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True)
    assert printed.strip() in ("[]", "['huggingface_hub']")


def test_every_plain_engine_is_there() -> None:
    for stage, engines in PREFERRED.items():
        assert engines[-1].model is None
        assert {engine.name for engine in engines if engine.model is None} <= {
            spec.name for spec in specs(stage)
        }
    assert find_spec("espeakng_loader")
