"""Everything that the chosen parts lack, told in one sentence, and installed if the user agrees."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from catalog.registry import EngineSpec
from command_line.parse import parse_command_line
from commands import extras
from commands.extras import find_lacking, provide
from pipeline.errors import Unavailable
from tests.command import ROOT

CPU = ("--preset", "cpu")


@pytest.fixture(autouse=True)
def with_little_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages of the preset `cpu` and all models are missing; the network is there."""
    absent = {"faster_whisper", "pocket_tts"}
    monkeypatch.setattr(
        EngineSpec, "missing", lambda spec: [name for name in spec.needs if name in absent]
    )
    monkeypatch.setattr(extras, "cached", lambda name: None)
    monkeypatch.setattr(extras, "begun", lambda name: None)
    monkeypatch.setattr(extras, "is_reachable", lambda: True)


def test_a_preset_names_all_that_it_lacks() -> None:
    with pytest.raises(Unavailable) as caught:
        provide(parse_command_line(CPU))
    assert str(caught.value) == (
        "--preset cpu needs faster_whisper, pocket_tts and the models Systran/faster-whisper-small and "
        "Qwen/Qwen3-0.6B-GGUF (about 1.5 GB), which are not on this machine; type: "
        "pip install -e '.[faster-whisper,pocket]'"
    )


def test_so_do_engines_by_name() -> None:
    lacking = find_lacking(parse_command_line(["--stt", "faster-whisper", "--tts", "pocket"]))
    assert str(lacking).startswith(
        "--stt faster-whisper --tts pocket needs faster_whisper and pocket_tts, "
    )
    assert find_lacking(parse_command_line(["--tts", "pocket,espeak"])) is None, "eSpeak is enough"
    assert find_lacking(parse_command_line(["--tts", "espeak"])) is None


def test_without_a_network_it_says_what_works_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_reachable", lambda: False)
    with pytest.raises(
        Unavailable,
        match=r"the network cannot be reached; python s2s_pipeline.py --preset offline works now",
    ):
        provide(parse_command_line(CPU))


@pytest.mark.parametrize(
    ("answer", "installed"),
    [("\n", True), ("Y\n", True), ("n\n", False), ("what?\n", False), ("", False)],
)
def test_on_a_terminal_it_offers_to_install(
    answer: str, installed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[Sequence[str]] = []

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def record(command: Sequence[str], **_: object) -> "subprocess.CompletedProcess[str]":
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", screen := Terminal())
    monkeypatch.setattr(subprocess, "run", record)
    if installed:
        provide(parse_command_line(CPU))
    else:
        with pytest.raises(
            Unavailable, match="--preset cpu is not installed; to install it later, type: pip"
        ):
            provide(parse_command_line(CPU))
    assert "(about 1.5 GB), which are not on this machine.\n  Install now? [Y/n] " in screen.getvalue()
    assert [command[-1].endswith("[faster-whisper,pocket]") for command in ran] == [True] * installed


ASKED = """
from catalog.registry import EngineSpec
EngineSpec.missing = lambda spec: ["absent"] if spec.name == "faster-whisper" else []
import s2s_pipeline, sys
sys.exit(s2s_pipeline.main(["--mode", "websocket", "--port", "0", "--stt", "faster-whisper"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")
def test_ctrl_c_answers_the_question() -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ASKED], stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT
    )
    shown = b""
    while b"[Y/n] " not in shown:
        shown += os.read(ours, 1024)
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_an_installation_that_fails_says_what_works_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(extras, "_agrees", lambda lacking: True)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    with pytest.raises(
        Unavailable, match=r"could not be installed, for the reason above; .*offline works"
    ):
        provide(parse_command_line(CPU))


def test_a_gpu_that_is_missing_is_not_a_matter_of_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "accelerated", lambda: False)
    provide(parse_command_line(["--preset", "cuda"]))


def test_models_alone_are_downloaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(EngineSpec, "missing", lambda spec: [])
    provide(parse_command_line(CPU))
    assert capsys.readouterr().err == (
        "  --preset cpu needs the models Systran/faster-whisper-small and Qwen/Qwen3-0.6B-GGUF "
        "(about 1.5 GB), which are not on this machine: downloading\n"
    )
    provide(parse_command_line(["--preset", "offline"]))
    assert capsys.readouterr().err == ""
