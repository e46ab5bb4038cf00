"""Flags and older spellings, and the engines that they choose."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from catalog.registry import EngineSpec, all_specs, find, specs
from command_line.parse import parse_command_line
from pipeline.errors import UserError
from tests.command import ROOT


def test_the_defaults_need_nothing() -> None:
    arguments = parse_command_line([])
    assert (arguments.module.mode, arguments.module.llm) == ("socket", "auto")
    assert set(arguments.engines) == {"vad", "stt", "tts"}
    assert arguments.own_ports() == (12345, 12346)
    assert arguments.vad.max_speech_ms == float("inf")


def test_prefixes_are_cut_off_and_generation_arguments_are_gathered() -> None:
    llm = parse_command_line(
        ["--llm", "openai", "--llm_model_name", "m", "--llm_gen_temperature", "0.5", "--no_llm_stream"]
    ).engines["llm"][0]
    assert llm.spec.name == "openai"
    assert llm.settings["model_name"] == "m"
    assert llm.settings["stream"] is False
    assert llm.settings["gen_kwargs"] == {"temperature": 0.5}, "and nothing that was not set"


def test_older_spellings() -> None:
    assert find("llm", "open_api").name == "openai"
    old = parse_command_line(["--llm", "open_api", "--open_api_base_url", "http://x"])
    assert old.engines["llm"][0].settings["base_url"] == "http://x"
    lm = ["--llm", "transformers", "--lm_model_name", "m", "--lm_gen_max_new_tokens", "5"]
    settings = parse_command_line(lm).engines["llm"][0].settings
    assert settings["model_name"] == "m"
    assert settings["gen_kwargs"]["max_new_tokens"] == 5
    assert parse_command_line(["--min-silence-ms", "300"]).vad.min_silence_ms == 300


def test_a_speech_engine_takes_the_place_of_three() -> None:
    arguments = parse_command_line(["--s2s", "tone"])
    assert set(arguments.engines) == {"vad", "s2s"}


@dataclass
class SpeakerArguments:
    """Flags of an end-to-end engine."""

    s2s_voice: str | None = field(default=None, metadata={"help": "voice of the answer"})


CONVERSING = EngineSpec(
    "s2s", "conversing", "a model", "S2S.tone:ToneResponder", f"{__name__}:SpeakerArguments",
    features=("conversation", "typed text"),
)  # fmt: skip
DUPLEX = EngineSpec("s2s", "duplex", "a model", "S2S.tone:ToneResponder", duplex=True)


@pytest.fixture
def end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add two end-to-end engines to the catalog."""
    rows = (*specs("s2s"), CONVERSING, DUPLEX)
    rest = {stage: specs(stage) for stage in ("vad", "stt", "llm", "tts")}
    monkeypatch.setattr("catalog.registry.specs", (rest | {"s2s": rows}).__getitem__)


def test_an_engine_that_converses_has_the_flags_of_the_conversation(end_to_end: None) -> None:
    flags = ["--init_chat_prompt", "Be brief.", "--s2s_voice", "low"]
    arguments = parse_command_line(["--s2s", "conversing", *flags])
    assert arguments.chat.init_chat_prompt == "Be brief."
    assert arguments.engines["s2s"][0].settings == {"voice": "low"}
    assert set(arguments.engines) == {"vad", "s2s"}
    with pytest.raises(UserError, match="--init_chat_prompt is for the conversation, which --s2s tone"):
        parse_command_line(["--s2s", "tone", "--init_chat_prompt", "Be brief."])


def test_a_duplex_engine_has_no_flags_of_the_voice_detector(end_to_end: None) -> None:
    assert set(parse_command_line(["--s2s", "duplex"]).engines) == {"s2s"}
    with pytest.raises(UserError, match="--thresh is for the detection of speech, which --s2s duplex d"):
        parse_command_line(["--s2s", "duplex", "--thresh", "0.5"])
    with pytest.raises(UserError, match="--chat_size is for the conversation, which --s2s duplex does"):
        parse_command_line(["--s2s", "duplex", "--chat_size", "3"])
    assert parse_command_line(["--s2s", "tone", "--thresh", "0.5"]).vad.thresh == 0.5


def test_several_end_to_end_engines(end_to_end: None) -> None:
    names = ["--s2s", "tone,conversing", "--s2s_conversing_voice", "low", "--failover_s2s_s", "3"]
    arguments = parse_command_line([*names, "--chat_size", "3"])
    first, second = arguments.engines["s2s"]
    assert (first.spec.name, second.spec.name, second.settings) == (
        "tone",
        "conversing",
        {"voice": "low"},
    )
    assert (arguments.failover.failover_s2s_s, arguments.chat.chat_size) == (3, 3)
    for pair in ("duplex,tone", "tone,duplex"):
        with pytest.raises(UserError, match=f"--s2s: expected duplex alone, got {pair}; a full-duplex"):
            parse_command_line(["--s2s", pair])


@pytest.mark.parametrize(
    ("settings", "flags", "chosen"),
    [
        ({"stt": "moonshine", "tts": "espeak"}, ["--s2s", "tone"], {"vad", "s2s"}),
        ({"s2s": "tone"}, ["--stt", "moonshine"], {"vad", "stt", "tts"}),
        ({"s2s": "tone"}, ["--tts=espeak"], {"vad", "stt", "tts"}),
        ({"s2s": "tone"}, [], {"vad", "s2s"}),
    ],
)
def test_flags_win_over_a_file_in_this_choice_too(
    settings: dict[str, str], flags: list[str], chosen: set[str], tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings))
    assert set(parse_command_line([str(config), *flags]).engines) == chosen


def test_several_engines_of_which_each_has_its_flags() -> None:
    names = ["--tts", "openai, espeak", "--tts_model_name", "m", "--tts_espeak_voice", "te"]
    arguments = parse_command_line([*names, "--failover_tts_s", "2.5"])
    first, second = arguments.engines["tts"]
    assert (first.spec.name, first.prefix, first.settings["voice"]) == ("openai", "tts_", None)
    assert (second.spec.name, second.prefix, second.settings["voice"]) == ("espeak", "tts_espeak_", "te")
    assert (arguments.failover.failover_tts_s, arguments.failover.failover_llm_s) == (2.5, 10.0)
    two_servers = ["--llm", "openai,openai,eliza", "--no_llm_openai_stream"]
    first, second, third = parse_command_line(two_servers).engines["llm"]
    assert (first.settings["stream"], second.settings["stream"], third.settings) == (True, False, {})


def test_what_a_later_engine_refuses_names_its_flag() -> None:
    from engines.loader import load_engine

    with pytest.raises(UserError, match=r"^--tts_espeak_rate: expected 80 to 450"):
        parse_command_line(["--tts", "openai,espeak", "--tts_espeak_rate", "9000"])
    arguments = parse_command_line(["--tts", "espeak,espeak", "--tts_espeak_voice", "nobody"])
    with pytest.raises(UserError, match=r"^--tts_espeak_voice: expected one of the voices"):
        load_engine(arguments, "tts")


def test_every_engine_of_the_registry_can_be_chosen() -> None:
    for spec in all_specs():
        arguments = parse_command_line([f"--{spec.stage}", spec.name])
        assert arguments.engines[spec.stage][0].spec is spec
        for alias in spec.aliases:
            if not alias.endswith("_"):
                assert find(spec.stage, alias) is spec


def test_an_engine_that_is_not_installed_says_what_to_type() -> None:
    spec = find("llm", "transformers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(
            UserError, match=r"needs transformers and torch, which are not installed; type: pip install"
        ):
            spec.load()


def run(*argv: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "s2s_pipeline.py"), *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_help_shows_the_flags_of_what_was_chosen() -> None:
    plain, openai = run("--help"), run("--llm", "openai", "--mode", "file", "--help")
    assert plain.returncode == openai.returncode == 0
    assert "--recv_port" in plain.stdout
    assert "--llm_base_url" not in plain.stdout
    assert "--llm_base_url" in openai.stdout
    assert "--input" in openai.stdout
    assert "--recv_port" not in openai.stdout
    assert plain.stderr == ""


def test_a_mistake_ends_with_code_2_and_without_a_stack_trace() -> None:
    ended = run("--tresh", "0.5")
    assert ended.returncode == 2
    assert ended.stderr == (
        "s2s_pipeline.py: there is no flag --tresh; the nearest is --thresh (--help all shows all)\n"
    )
    assert ended.stdout == ""
