"""Presets: what they choose, and that what is given besides wins."""

import dataclasses
import json
from pathlib import Path

import pytest

from catalog.presets import PRESETS
from catalog.registry import CASCADE, find
from command_line.parse import parse_command_line
from pipeline.errors import UserError
from tests.command import run


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_what_there_is(name: str) -> None:
    preset = PRESETS[name]
    assert set(preset.engines) in ({*CASCADE}, {"s2s"})
    flags: set[str] = set()
    for stage, engine in preset.engines.items():
        known = find(stage, engine).argument_class()
        flags |= {flag.name for flag in dataclasses.fields(known)} if known else set()
    assert set(preset.settings) <= flags
    arguments = parse_command_line(["--preset", name])
    chosen = {stage: engines[0].spec.name for stage, engines in arguments.engines.items()}
    assert {stage: name for stage, name in chosen.items() if stage != "vad"} == preset.engines
    assert preset.device in (None, arguments.module.device)
    for flag, value in preset.settings.items():
        stage, _, setting = flag.partition("_")
        assert arguments.engines[stage][0].settings[setting] == value


def test_flags_and_a_file_win_over_a_preset(tmp_path: Path) -> None:
    arguments = parse_command_line(["--preset", "offline", "--llm", "transformers", "--tts_speed", "2"])
    assert arguments.engines["llm"][0].spec.name == "transformers"
    assert arguments.engines["tts"][0].settings["speed"] == 2
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"preset": "offline", "stt_model_name": "base-en"}))
    arguments = parse_command_line([str(config)])
    assert arguments.engines["stt"][0].settings["model_name"] == "base-en"
    assert arguments.engines["llm"][0].spec.name == "smollm2"
    arguments = parse_command_line([str(config), "--stt_model_name", "base-ja", "--llm", "openai"])
    assert arguments.engines["stt"][0].settings["model_name"] == "base-ja"
    assert arguments.engines["llm"][0].spec.name == "openai"


def test_what_a_preset_sets_for_a_part_that_was_replaced_is_left_out() -> None:
    arguments = parse_command_line(["--preset", "classic", "--stt", "moonshine", "--tts", "espeak"])
    assert arguments.engines["stt"][0].settings == {"model_name": "tiny-en"}
    assert arguments.engines["llm"][0].settings["model_name"] == "microsoft/Phi-3-mini-4k-instruct"
    assert set(parse_command_line(["--preset", "offline", "--s2s", "tone"]).engines) == {"vad", "s2s"}


def test_a_preset_and_an_engine_of_the_other_kind() -> None:
    """The flag wins, and only the device of the preset remains."""
    arguments = parse_command_line(["--preset", "duplex", "--s2s", "tone"])
    assert [each.spec.name for each in arguments.engines["s2s"]] == ["tone"]
    assert arguments.module.device == "cuda"
    arguments = parse_command_line(["--preset", "duplex", "--stt", "pocketsphinx"])
    assert (set(arguments.engines), arguments.module.s2s) == ({"vad", "stt", "tts"}, None)
    arguments = parse_command_line(["--preset", "cuda", "--s2s", "tone"])
    assert (set(arguments.engines), arguments.module.device) == ({"vad", "s2s"}, "cuda")
    with pytest.raises(UserError, match="--thresh is for the detection of speech, which --s2s moshi do"):
        parse_command_line(["--preset", "duplex", "--thresh", "0.5"])


def test_the_flag_of_an_older_program_is_the_preset_for_a_mac() -> None:
    others = ("--stt", "moonshine", "--llm", "eliza", "--tts", "espeak")
    for flag in ("--local_mac_optimal_settings", "--preset=mac"):
        assert parse_command_line([flag, *others]).module.device == "mps"
    with pytest.raises(UserError, match="expected no preset but mac, got cpu"):
        parse_command_line(["--local_mac_optimal_settings", "--preset", "cpu"])


def test_an_unknown_preset_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"--preset: expected one of offline, cpu, .*, got 'best'"):
        parse_command_line(["--preset", "best"])


def test_help_shows_what_a_preset_sets() -> None:
    shown = run("--preset", "offline", "--help")
    assert shown.returncode == 0, shown.stderr
    told = " ".join(shown.stdout.split())
    assert "sets: --stt moonshine --llm smollm2 --tts piper --stt_model_name tiny-en" in told
    assert "(default: smollm2)" in told
