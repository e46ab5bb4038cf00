"""Which engine runs without a flag: the cache here is a folder that a test fills."""

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from catalog import choice
from catalog.choice import PREFERRED, Choice, Preferred, choose
from catalog.offers import find_offer
from catalog.registry import EngineSpec, find, specs
from catalog.weights import FETCH, JOE, JOE_SETTINGS
from command_line.parse import parse_command_line
from tests.command import ROOT
from TTS.kokoro import KokoroSynthesizer
from utils.packaged import PackagedFile


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub and of the built-in models, and no GPU."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
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
    (synthesizer,), (recognizer,) = arguments.engines["tts"], arguments.engines["stt"]
    assert synthesizer.spec.name == "espeak"
    assert recognizer.spec.name in ("moonshine", "pocketsphinx")
    assert recognizer.why == ""


def test_a_better_engine_is_taken_once_its_model_is_here(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    prefer(monkeypatch, MODEL, Preferred("moonshine"))
    assert choose("stt", [])[0].spec.name == "moonshine"
    model = keep(cache, "someone/model", "weights.bin")
    (chosen,) = choose("stt", [])
    assert (chosen.spec.name, chosen.model) == ("pocketsphinx", "someone/model")
    assert chosen.why == "someone/model is in the cache; for the built-in engine: --stt moonshine"
    assert parse_command_line(["--stt", "moonshine"]).engines["stt"][0].spec.name == "moonshine"
    assert choose("stt", ["--stt_model_name", "base-ja"])[0].spec.name == "moonshine"
    assert choose("stt", ["--tts_voice", "te"])[0].spec.name == "pocketsphinx"
    (model / "blobs").mkdir()
    (model / "blobs" / "0.incomplete").write_bytes(b"")
    assert choose("stt", [])[0].spec.name == "moonshine", "half a model is none"


def test_a_better_engine_is_not_taken_for_a_language_that_it_lacks(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    english = Preferred("pocketsphinx", "someone/model", ("*.bin",), languages=("en",))
    prefer(monkeypatch, english, Preferred("moonshine"))
    keep(cache, "someone/model", "weights.bin")
    assert choose("stt", [], "en")[0].spec.name == "pocketsphinx"
    assert choose("stt", [], "te")[0].spec.name == "moonshine"
    assert parse_command_line(["--language", "te"]).engines["stt"][0].spec.name == "moonshine"


def test_what_is_cached_but_not_all_that_is_needed_is_not_taken(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    prefer(monkeypatch, MODEL, Preferred("moonshine"))
    keep(cache, "someone/model", "README.md")
    assert choose("stt", [])[0].spec.name == "moonshine"
    prefer(monkeypatch, Preferred("pocketsphinx", "someone/model", needs=("not_installed",)), *PLAIN)
    assert choose("stt", [])[0].spec.name == "moonshine"
    prefer(monkeypatch, Preferred("pocketsphinx", "someone/model", accelerated=True), *PLAIN)
    assert choose("stt", [])[0].spec.name == "moonshine"
    monkeypatch.setattr(choice, "accelerated", lambda: True)
    assert choose("stt", [])[0].spec.name == "pocketsphinx"


PLAIN = (Preferred("moonshine"),)


class TestTheVoiceThatComesWithTheProgram:
    @pytest.fixture(autouse=True)
    @staticmethod
    def files(cache: Path) -> None:
        """Both of its files, of the right size."""
        pytest.importorskip("piper", reason="no wheel for this machine")
        for file in (JOE, JOE_SETTINGS):
            file.path.parent.mkdir(exist_ok=True)
            file.path.touch()
            os.truncate(file.path, file.size)

    @pytest.mark.parametrize("language", [None, "en"])
    def test_it_speaks_english_with_espeak_behind_it(self, language: str | None) -> None:
        voice, behind = choose("tts", [], language)
        assert (voice.spec.name, voice.dispensable) == ("piper", True)
        assert (behind.spec.name, behind.dispensable) == ("espeak", False)
        assert voice.why == behind.why == ""

    def test_another_language_or_a_flag_is_for_espeak(self) -> None:
        assert choose("tts", [], "te") == choose("tts", ["--tts_rate", "200"]) == (ESPEAK,)

    @pytest.mark.parametrize(
        "flags",
        [["--tts_voice", "en_US-lessac-medium"], ["--tts-speed=1.2"], ["--tts_language", "en"]],
    )
    def test_flags_that_fit_it_keep_it(self, flags: list[str]) -> None:
        voice, behind = parse_command_line(flags).engines["tts"]
        assert (voice.spec.name, voice.dispensable, voice.prefix) == ("piper", False, "tts_")
        assert (behind.spec.name, behind.prefix) == ("espeak", "tts_espeak_")
        assert flags[-1].rpartition("=")[2] in map(str, voice.settings.values())
        (espeak,) = choose("tts", [*flags, "--tts_rate", "200"])
        assert espeak == ESPEAK

    @pytest.mark.parametrize("flags", [["--tts_voice", "en-gb"], ["--tts_language", "te"]])
    def test_a_voice_or_a_language_that_it_lacks_is_for_espeak(self, flags: list[str]) -> None:
        assert choose("tts", flags) == (ESPEAK,)

    def test_without_flags_it_has_its_own_defaults(self) -> None:
        engines = parse_command_line([]).engines["tts"]
        assert [engine.settings for engine in engines] == [
            {}, {"voice": None, "language": "en", "rate": 170, "pitch": 50}
        ]  # fmt: skip
        (espeak,) = parse_command_line(["--tts_voice", "en-gb"]).engines["tts"]
        assert (espeak.spec.name, espeak.settings["voice"]) == ("espeak", "en-gb")

    def test_by_name_it_is_the_default_unless_the_conversation_is_in_another_language(self) -> None:
        def model(*argv: str) -> str | None:
            engine = parse_command_line(argv).engines["tts"][-1]
            name: str | None = engine.settings["model_name"]
            return name

        assert model("--tts", "piper") is model("--tts", "piper", "--language", "en") is None
        assert model("--tts", "piper", "--language", "de") == "rhasspy/piper-voices"
        assert model("--tts", "espeak,piper", "--language", "de") == "rhasspy/piper-voices"
        own = ("--tts_model_name", "somewhere")
        assert model("--tts", "piper", "--language", "de", *own) == "somewhere"

    @pytest.mark.parametrize("file", [JOE, JOE_SETTINGS])
    @pytest.mark.parametrize("broken", [Path.unlink, lambda path: os.truncate(path, 100)])
    def test_one_file_is_missing_or_cut_off(
        self, file: PackagedFile, broken: Callable[[Path], None]
    ) -> None:
        broken(file.path)
        (espeak,) = choose("tts", [])
        assert espeak.spec.name == "espeak"
        assert espeak.why == f"for piper, which sounds more natural, type: {FETCH}"

    def test_it_is_not_its_package_that_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then the command would not help."""
        monkeypatch.setattr(EngineSpec, "missing", lambda spec: ["x"] if spec.name == "piper" else [])
        assert choose("tts", []) == (ESPEAK,)


ESPEAK = Choice(find("tts", "espeak"))


def test_kokoro_has_espeak_behind_it_for_its_other_languages(cache: Path) -> None:
    offer = find_offer("kokoro")
    assert offer is not None
    keep(cache, offer.model, "onnx/model_quantized.onnx", "voices/af_heart.bin")
    voice, behind = choose("tts", [])
    assert (voice.spec.name, voice.dispensable) == ("kokoro", True)
    assert behind == ESPEAK
    assert choose("tts", [], "te") == choose("tts", ["--tts_rate", "200"]) == (ESPEAK,)
    engines = parse_command_line([]).engines["tts"]
    assert engines[0].settings == {}
    defaults = inspect.signature(KokoroSynthesizer).parameters
    default = defaults["model_name"].default, (defaults["onnx"].default, "voices*")
    assert default == (offer.model, offer.files)


def test_what_was_chosen_is_told_and_called_with_its_model(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moonshine itself stands for a better engine: its built-in model, by name."""
    from engines.loader import load_engines

    pytest.importorskip("moonshine_voice")
    prefer(monkeypatch, Preferred("moonshine", "tiny-en"), Preferred("pocketsphinx"))
    keep(cache, "tiny-en", "encoder.ort")
    arguments = parse_command_line(["--llm", "eliza"])
    assert arguments.engines["stt"][0].settings["model_name"] == "tiny-en"
    engines = load_engines(arguments)
    engines.close()
    hints = engines.capabilities.describe().hints
    assert hints["stt"] == "tiny-en is in the cache; for the built-in engine: --stt pocketsphinx"


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
