"""`--check`: what is ready, where models are, and which port is taken."""

from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
from safetensors.numpy import save_file

from catalog.weights import EMBEDDED, FETCH, SMART_TURN
from command_line.parse import parse_command_line
from commands import check
from tests.command import run

FLAGS = ("--llm", "transformers", "--llm_model_name", "tiny/chat", "--turn_detector", "silence")


def test_check_says_what_is_ready() -> None:
    ended = run("--check", "--recv_port", "0", "--send_port", "0")
    assert ended.returncode == 0, ended.stdout
    for topic in ("machine", "accelerator", "sound", "engine", "model", "server", "port", "environment"):
        assert f"\n{' ' * 3}{topic}" in "\n" + ended.stdout or f"ok {topic}" in ended.stdout, topic
    assert ended.stdout.endswith("ready\n")


def test_check_of_an_end_to_end_engine_asks_for_no_language_model() -> None:
    ended = run("--s2s", "tone", "--check", "--recv_port", "0", "--send_port", "0")
    assert ended.returncode == 0, ended.stdout
    assert "ok engine       --s2s tone [cpu]: TEST TONE" in ended.stdout
    assert "language model on this machine" not in ended.stdout


def test_check_fails_when_a_port_is_taken_and_keeps_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("--check", "--recv_port", port, "--send_port", "0")
    assert ended.returncode == 1
    assert f"NO port         {port}" in ended.stdout
    assert "OPENAI_API_KEY = set" in ended.stdout
    assert "sk-1" not in ended.stdout


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ((), "   model        --llm transformers: tiny/chat: not in"),
        (("config.json",), "ok model        --llm transformers: tiny/chat, 2 bytes in"),
        (
            ("blobs/a.incomplete", "config.json"),
            "   model        --llm transformers: tiny/chat, 2 bytes of it",
        ),
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
    lines = [f"{ {True: 'ok', None: ''}[f.ready]:<3}{f.topic:<13}{f.text}" for f in findings]
    assert any(line.startswith(told) for line in lines), lines


def test_a_built_in_model_that_is_damaged_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    SMART_TURN.path.write_bytes(b"cut off")
    found = {finding.text: finding.ready for finding in check._embedded()}
    assert found == {
        f"{SMART_TURN.path}: damaged; type: {FETCH}": False,
        **{f"{file.path}: missing; type: {FETCH}": None for file in EMBEDDED if file != SMART_TURN},
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
    finding = check._model("--stt whisper: some/model", "some/model")
    assert finding.ready is (kept is None)
    assert ("model.safetensors cut off or damaged" in finding.text) is (kept is not None)
