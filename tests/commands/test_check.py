"""`--check`: what is ready, where models are, and which port is taken."""

from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
from safetensors.numpy import save_file

from arguments_classes.local_arguments import LocalArguments
from catalog.registry import find
from catalog.weights import EMBEDDED, FETCH, SMART_TURN
from command_line.parse import parse_command_line
from commands import check
from commands.finding import BLOCKS, Finding, report
from pipeline.errors import NoAudioDevice
from tests.command import run
from utils.sound_devices import OPEN_THE_PAGE

FLAGS = ("--llm", "transformers", "--llm_model_name", "tiny/chat", "--turn_detector", "silence")


FREE = ("--recv_port", "0", "--send_port", "0")


def blocks(stdout: str) -> dict[str, list[str]]:
    """The lines of each block, without spaces that align them; the last line under ""."""
    *parts, last = stdout.strip().split("\n\n")
    lines = {
        heading: [" ".join(line.split()) for line in rest]
        for heading, *rest in map(str.splitlines, parts)
    }
    return lines | {"": [last]}


def test_what_is_ready_and_what_would_be_better() -> None:
    ended = run("--check", *FREE)
    assert ended.returncode == 0, ended.stdout
    found = blocks(ended.stdout)
    assert [*found] == [heading for heading in BLOCKS.values() if heading in found] + [""]
    for topic in (
        "machine",
        "vad silero",
        "stt moonshine",
        "stt model",
        "tts espeak",
        "built-in models",
        "port 0",
    ):
        assert any(line.startswith(f"{topic} ") for line in found["Ready"]), topic
    assert "environment" not in ended.stdout
    assert "parler" not in ended.stdout, "neither chosen nor installed"
    assert found[""] == ["Ready to talk."]


def test_everything() -> None:
    found = blocks(run("--check", "all", *FREE).stdout)["Everything else"]
    assert any(line.startswith("tts parler ") and "--install parler" in line for line in found)
    assert "environment HF_HUB_OFFLINE is not set" in found or "environment HF_HUB_OFFLINE = 1" in found


def test_an_end_to_end_engine_asks_for_no_language_model() -> None:
    ended = run("--s2s", "tone", "--check", *FREE)
    assert ended.returncode == 0, ended.stdout
    assert (
        "s2s tone TEST TONE: checks the audio path without a model [cpu]"
        in blocks(ended.stdout)["Ready"]
    )
    assert "language model" not in ended.stdout.replace("built-in", "")


def test_a_port_that_is_taken_is_to_be_fixed_and_secrets_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("--check=all", "--recv_port", port, "--send_port", "0")
    assert ended.returncode == 1
    found = blocks(ended.stdout)
    assert next(iter(found)) == "Fix this"
    assert found["Fix this"][0].startswith(f"port {port}: Address already in use; end the program")
    assert found[""] == ["Not ready: one thing to fix."]
    assert "environment OPENAI_API_KEY = set" in found["Everything else"]
    assert "sk-1" not in ended.stdout


def test_without_a_microphone_one_cannot_talk_here(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = f"this machine has no microphone; connect one, or {OPEN_THE_PAGE}"

    def choose_port(arguments: LocalArguments) -> None:
        raise NoAudioDevice(reason)

    monkeypatch.setattr(check, "choose_port", choose_port)
    monkeypatch.setattr(check, "describe_sound_devices", lambda: [])
    (here,) = check._sound(LocalArguments())
    assert here == Finding("fix", "sound", reason)
    (elsewhere,) = check._sound(None)
    assert elsewhere.block == "better"


@pytest.mark.parametrize(("gpu", "told"), [(True, []), (False, ["fix"])])
def test_a_full_duplex_model_needs_a_gpu(
    gpu: bool, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "accelerated", lambda: gpu)
    assert [finding.block for finding in check._speed(find("s2s", "moshi"))] == told
    assert not list(check._speed(find("s2s", "realtime")))
    assert not list(check._speed(find("tts", "espeak")))
    slow = list(check._speed(find("tts", "kokoro-torch")))
    assert [finding.block for finding in slow] == ([] if gpu else ["better"])


def test_an_engine_that_is_not_installed_is_to_be_fixed_unless_another_stands_in() -> None:
    absent = find("tts", "parler")
    if not absent.missing():
        pytest.skip("it is installed here")
    for names, block in (("parler", "fix"), ("parler,espeak", "better")):
        found = check._engines(parse_command_line(["--tts", names]))
        assert [
            each.block for each in found if each.topic == "tts parler" and "--install" in each.text
        ] == [block]


def test_a_better_voice_is_offered_unless_it_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    (offered,) = check._better("tts", "espeak", "en")
    assert (offered.block, offered.topic) == ("better", "tts kokoro")
    licenses = "Apache-2.0, with eSpeak NG inside: GPL-3"
    assert offered.text.endswith(f"(121 MB, {licenses}); type: s2s get kokoro")
    assert not list(check._better("tts", "kokoro", "en"))
    assert not list(check._better("tts", "espeak", "te")), "which it does not speak"


@pytest.mark.parametrize(("terminal", "lines"), [(True, 4), (False, 1)])
def test_a_finding_is_a_line_unless_a_terminal_is_narrow(
    terminal: bool, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    shown = list(report([Finding("ready", "sound", "word " * 30)]))
    assert shown[0] == "Ready"
    assert len(shown[1:-2]) == lines
    assert max(map(len, shown)) <= 60 or not terminal


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ((), "better: tiny/chat is not in"),
        (("config.json",), "ready: tiny/chat, 2 bytes in"),
        (("blobs/a.incomplete", "config.json"), "ready: tiny/chat, 2 bytes of it"),
    ],
)
def test_check_says_where_the_models_are(tmp_path: Path, kept: tuple[str, ...], told: str) -> None:
    model = tmp_path / "hub" / "models--tiny--chat"
    for file in kept:
        path = model / file if "/" in file else model / "snapshots" / ("0" * 40) / file
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        (model / "refs").mkdir(exist_ok=True)
        (model / "refs" / "main").write_text("0" * 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        findings = list(check._models(parse_command_line(FLAGS)))
    lines = [f"{each.block}: {each.text}" for each in findings if each.topic == "llm model"]
    assert any(line.startswith(told) for line in lines), lines


def test_a_built_in_model_that_is_damaged_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    SMART_TURN.path.write_bytes(b"cut off")
    found = {finding.text: finding.block for finding in check._embedded()}
    assert found == {
        f"{SMART_TURN.path} is damaged; type: {FETCH}": "fix",
        **{
            f"{file.path} is missing; type: {FETCH}": "better" for file in EMBEDDED if file != SMART_TURN
        },
    }


@pytest.mark.parametrize("kept", [5, -1, None])
def test_weights_of_the_hub_that_are_cut_off_are_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int | None
) -> None:
    layer = {"layer": np.zeros((4, 4), np.float32)}
    save_file(layer, tmp_path / "model.safetensors", metadata={"format": "pt"})
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:kept])
    monkeypatch.setattr(check, "cached", lambda name: tmp_path)
    finding = check._model("stt whisper", "some/model")
    assert (finding.block == "ready") is (kept is None)
    assert (finding.block == "fix") is (kept is not None)
    assert ("model.safetensors cut off or damaged" in finding.text) is (kept is not None)
