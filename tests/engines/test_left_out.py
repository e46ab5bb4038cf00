"""Of several engines for one stage, those that this machine lacks are left out."""

from pathlib import Path

import pytest

from catalog.registry import EngineSpec, specs
from command_line.parse import parse_command_line
from engines.loader import load_engine
from pipeline.errors import Unavailable, UserError

ABSENT = EngineSpec(
    "tts",
    "absent",
    "a package that nobody has",
    "TTS.absent:Absent",
    needs=("no_such_module",),
    extra="all",
)


@pytest.fixture(autouse=True)
def with_an_absent_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {stage: specs(stage) for stage in ("vad", "stt", "llm", "tts", "s2s")}
    rows["tts"] += (ABSENT,)
    monkeypatch.setattr("catalog.registry.specs", rows.__getitem__)


@pytest.mark.parametrize("names", ["absent,espeak", "espeak,absent"])
def test_an_engine_that_is_not_installed(names: str, capsys: pytest.CaptureFixture[str]) -> None:
    engine = load_engine(parse_command_line(["--tts", names]), "tts")
    assert engine.info.name == "espeak"
    assert capsys.readouterr().err == (
        "  absent is left out: --tts absent needs no_such_module, which is not installed; type: "
        "pip install -e '.[all]'\n"
    )


def test_a_model_that_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    engine = load_engine(parse_command_line(["--tts", "kokoro,espeak"]), "tts")
    assert engine.info.name == "espeak"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("  kokoro is left out: --tts_model_name onnx-community/Kokoro-82M")


def test_a_mistake_in_a_flag_still_ends_the_program() -> None:
    with pytest.raises(UserError, match=r"^--tts_voice: expected one of the voices"):
        load_engine(parse_command_line(["--tts", "espeak,absent", "--tts_voice", "nobody"]), "tts")


def test_where_all_are_needed_or_named_wrongly() -> None:
    absent = ["--tts", "absent,kokoro", "--tts_kokoro_model_name", "/no/such/folder"]
    with pytest.raises(UserError, match="--tts_kokoro_model_name /no/such/folder: expected a folder"):
        load_engine(parse_command_line(absent), "tts")
    for argv in (["--tts", "absent"], ["--tts", "absent,espeak", "--download"]):
        with pytest.raises(Unavailable, match=r"^--tts absent needs no_such_module, which is not"):
            load_engine(parse_command_line(argv), "tts")


def test_none_of_them_tells_all_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError) as caught:
        load_engine(parse_command_line(["--tts", "absent,kokoro"]), "tts")
    told = str(caught.value)
    assert told.startswith("--tts: none of these engines can start: --tts absent needs no_such_module")
    assert "--tts_kokoro_model_name onnx-community/Kokoro-82M-v1.0-ONNX: it is not in" in told
