"""Devices: chosen for all engines, or for one."""

import pytest

from command_line.parse import parse_command_line
from engines.loader import load_engine
from pipeline.errors import UserError
from utils import device
from utils.device import expect_device, find_device


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that reports a GPU."""
    monkeypatch.setattr(device, "available_devices", lambda: ["cuda", "cpu"])


@pytest.mark.parametrize(
    ("wanted", "able", "found"),
    [
        ("auto", ("cuda", "mps", "cpu"), "cuda"),
        ("auto", ("mps", "cpu"), "cpu"),
        ("auto", ("cpu",), "cpu"),
        ("cuda", ("cuda", "cpu"), "cuda"),
        ("cuda", ("cpu",), "cpu"),
        ("cpu", ("cuda", "cpu"), "cpu"),
    ],
)
def test_a_device_for_all(machine: None, wanted: str, able: tuple[str, ...], found: str) -> None:
    assert find_device(wanted, able) == found


def test_a_device_that_is_not_here_is_one_sentence_that_names_the_flag(machine: None) -> None:
    pytest.importorskip("torch", reason="without it only the engine can tell")
    with pytest.raises(UserError, match="--device: expected one of cuda, cpu on this machine, got mps"):
        find_device("mps")
    with pytest.raises(UserError, match="--tts_device: expected one of cuda, cpu on this machine"):
        expect_device("mps", "--tts_device", ("cuda", "mps", "cpu"))
    with pytest.raises(UserError, match="--stt_device: expected one of cpu, got cuda"):
        expect_device("cuda", "--stt_device", ("cpu",))
    with pytest.raises(UserError, match="--stt_device: expected one of cuda, mps, cpu, got gpu"):
        expect_device("gpu", "--stt_device", ("cuda", "mps", "cpu"))
    assert expect_device("cuda:1", "--stt_device", ("cuda", "cpu")) == "cuda:1"


@pytest.mark.parametrize(("gpu", "torch"), [(True, False), (True, True), (False, False)])
def test_an_engine_with_an_environment_of_its_own_needs_no_torch_here(
    gpu: bool, torch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "available_devices", lambda: ["cpu"])
    monkeypatch.setattr(device, "accelerated", lambda: gpu)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if torch else None)
    if gpu and not torch:
        assert find_device("cuda") == "cuda"
    else:
        with pytest.raises(UserError, match="--device: expected one of cpu on this machine, got cuda"):
            find_device("cuda")


def test_the_device_of_a_part_wins_and_is_checked_before_its_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("torch", reason="pip install -e '.[transformers]'")
    monkeypatch.setattr(device, "available_devices", lambda: ["cpu"])
    flags = ["--llm", "transformers", "--llm_model_name", "/nowhere", "--llm_device", "cuda"]
    with pytest.raises(UserError, match="--llm_device: expected one of cpu on this machine, got cuda"):
        load_engine(parse_command_line(flags), "llm")
