"""The command `s2s`: its first line, Ctrl-C at any moment, and what it does without a microphone."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from catalog.offers import find_offer
from catalog.weights import EMBEDDED, SILERO
from testing.hub_server import HubServer
from tests.command import ROOT

PROGRAM = "import sys, s2s; sys.argv = ['s2s', *sys.argv[1:]]; s2s.main()"
"""The command in the checkout, which `pip install -e .` would put into the environment."""

INTERRUPTED = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Interrupt(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == moment:
            os.kill(os.getpid(), signal.SIGINT)

moment = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupt())
import s2s
sys.argv[0] = "s2s"
s2s.main()
"""
"""The command, with a Ctrl-C at the moment when it begins to import a module."""

MOMENTS = (
    *("pipeline.errors", "utils.threads", "command_line.words", "commands.get", "numpy", "transformers"),
    *("command_line.parse", "s2s_pipeline", "connections.web.server", "uvicorn", "engines.starting"),
    *("onnxruntime", "moonshine_voice", "VAD.silero", "TTS.espeak", "LLM.eliza"),
)
"""Modules that are imported one after the other, from the first line to the last engine."""

FLAGS = ("--llm", "eliza", "--tts", "espeak", "--turn_detector", "silence")

NO_SOUND = {"PULSE_SERVER": "unix:/nowhere", "PIPEWIRE_REMOTE": "/nowhere"}
"""Variables for a machine without a microphone."""


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of a user without settings, a screen or a network."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("S2S_", "HF_", "PIP_", "UV_"))}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        kept.pop(name, None)
    none = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "MODEL_CACHE_DIR": str(folder / "cache")}
    none |= {"HOME": str(folder)}
    return kept | none | variables


def run(
    *argv: str, folder: Path, code: str = PROGRAM, **variables: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *argv],
        cwd=ROOT,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_ends_it_in_silence(moment: str, tmp_path: Path) -> None:
    ended = run(moment, "serve", "--port", "0", *FLAGS, folder=tmp_path, code=INTERRUPTED)
    assert ended.returncode == 130, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Keyboard" not in ended.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_its_first_line_comes_before_everything_that_is_slow(tmp_path: Path) -> None:
    """Measured in modules, which do not depend on the load of the machine: python itself imports 30."""
    asked = (
        "import os, sys\n"
        "write = os.write\n"
        "class Screen:\n"
        "    encoding, buffer = 'utf-8', None\n"
        "    def isatty(self): return True\n"
        "    def flush(self): pass\n"
        "    def write(self, text):\n"
        "        write(1, (text + str(sorted(sys.modules))).encode()); os._exit(0)\n"
        "sys.stderr = Screen()\n"
    )
    ended = run("talk", folder=tmp_path, code=asked + PROGRAM)
    line, _, modules = ended.stdout.partition("[")
    assert re.fullmatch(r"  s2s-pipeline [\d.]+ is starting; Ctrl-C ends", line)
    imported = set(re.findall(r"'(\w+)'", modules))
    assert imported.isdisjoint({"numpy", "transformers", "rich", "httpx2", "asyncio", "logging"})
    assert len(imported) < 110


def test_a_word_that_it_does_not_know(tmp_path: Path) -> None:
    ended = run("srve", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == (
        "s2s: there is no command 'srve'; the nearest is serve, and all are: talk, serve, file, check, "
        "voices, get, install\n"
    )


def test_a_mistake_in_a_flag_is_told_by_the_name_that_was_typed(tmp_path: Path) -> None:
    ended = run("talk", "--tresh", "1", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("s2s: there is no flag --tresh")


def test_get_knows_presets_and_offers(tmp_path: Path) -> None:
    ended = run("get", "kokro", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "s2s: there is no 'kokro' to get; the nearest is kokoro, and all are: "
    )
    assert ", cpu, " in ended.stderr


def test_get_fetches_an_offer_from_the_hub(tmp_path: Path) -> None:
    offer = find_offer("kokoro")
    assert offer is not None
    model = tmp_path / "models" / offer.model
    for name in ("onnx/model_quantized.onnx", "voices/af_heart.bin", "README.md"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(name.encode())
    with HubServer(tmp_path / "models") as hub:
        ended = run("get", "kokoro", folder=tmp_path, HF_ENDPOINT=hub.url, HF_HUB_DISABLE_XET="1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.endswith("Kokoro is here and will be used from the next start on\n")
    kept = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_symlink()}
    assert kept == {"model_quantized.onnx", "af_heart.bin"}


def test_get_names_the_remedy_for_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    ended = run("get", "kokoro", folder=tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert ended.returncode == 2
    assert ended.stderr.endswith(
        "s2s: Kokoro: the hub at http://127.0.0.1:9 cannot be reached (no connection); connect to the "
        "network, and type this again\n"
    )
    assert "PyTorch" not in ended.stderr


def test_get_says_what_else_there_is_where_nothing_is_missing(tmp_path: Path) -> None:
    if not all(file.intact for file in EMBEDDED):
        pytest.skip("the built-in models are not here")
    ended = run("get", folder=tmp_path, MODEL_CACHE_DIR=str(SILERO.path.parent))
    assert ended.returncode == 0
    assert ended.stdout.startswith("Everything that the program needs is here. You can also get:\n")
    assert "  s2s get kokoro " in ended.stdout
    assert "  s2s get cpu " in ended.stdout


def test_get_without_a_network_says_what_works_until_then(tmp_path: Path) -> None:
    ended = run("get", folder=tmp_path)
    assert ended.returncode == 1
    assert "cannot be downloaded: no package index is configured" in ended.stderr
    assert ended.stderr.endswith("eSpeak, a robot's voice, speaks; to try again, type: s2s get\n")


def test_get_tells_before_a_download_of_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for name in ((), ("kokoro",)):
        with HubServer(tmp_path) as hub:
            wrong = str(tmp_path / "file" / "cache")
            ended = run("get", *name, folder=tmp_path, MODEL_CACHE_DIR=wrong, HF_ENDPOINT=hub.url)
        assert ended.returncode in (1, 2)
        assert f"this folder cannot be written: {wrong}" in ended.stderr
        assert "set MODEL_CACHE_DIR to another" in ended.stderr
        assert "downloading" not in ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other machines have a sound card")
def test_without_a_microphone_a_mistake_is_told_alone(tmp_path: Path) -> None:
    ended = run("--tresh", "1", folder=tmp_path, MODEL_CACHE_DIR="", **NO_SOUND)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("s2s: there is no flag --tresh")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other machines have a sound card")
def test_without_a_microphone_it_opens_the_page(tmp_path: Path) -> None:
    """The browser of the test is a program that passes on the address."""
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}\n')
    browser.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *FLAGS, "--port", "0"],
        cwd=ROOT,
        env=environment(tmp_path, DISPLAY=":7", BROWSER=str(browser), **NO_SOUND),
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            url = opened.read_text().strip()
            with urllib.request.urlopen(url) as page:
                assert page.status == 200
        finally:
            program.send_signal(signal.SIGINT)
            told = program.communicate(timeout=60)[1]
    assert program.returncode == 130
    assert "so you talk through a web page:" in told
