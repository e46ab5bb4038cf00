"""Flags, JSON, older spellings; and what is said about mistakes."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from arguments_classes.command_line import parse_command_line
from arguments_classes.module_arguments import ModuleArguments
from pipeline.errors import UserError
from pipeline.registry import all_rows, find

ROOT = Path(__file__).parent.parent


def config(tmp_path: Path, **settings: object) -> str:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    return str(path)


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
    assert llm.row.name == "openai"
    assert llm.settings["model_name"] == "m"
    assert llm.settings["stream"] is False
    assert llm.settings["gen_kwargs"] == {"temperature": 0.5}, "and nothing that was not set"


def test_a_json_file_and_flags_that_win_over_it(tmp_path: Path) -> None:
    path = config(tmp_path, mode="local", thresh=0.4, json_events=True, stt_model_name=None)
    arguments = parse_command_line([path, "--thresh", "0.6"])
    assert arguments.module == ModuleArguments(mode="local", json_events=True)
    assert arguments.vad.thresh == 0.6


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


def test_several_engines_of_which_each_has_its_flags() -> None:
    names = ["--tts", "openai, espeak", "--tts_model_name", "m", "--tts_espeak_voice", "te"]
    arguments = parse_command_line([*names, "--failover_tts_s", "2.5"])
    first, second = arguments.engines["tts"]
    assert (first.row.name, first.prefix, first.settings["voice"]) == ("openai", "tts_", None)
    assert (second.row.name, second.prefix, second.settings["voice"]) == ("espeak", "tts_espeak_", "te")
    assert (arguments.failover.failover_tts_s, arguments.failover.failover_llm_s) == (2.5, 10.0)
    two_servers = ["--llm", "openai,openai,eliza", "--no_llm_openai_stream"]
    first, second, third = parse_command_line(two_servers).engines["llm"]
    assert (first.settings["stream"], second.settings["stream"], third.settings) == (True, False, {})


def test_what_a_later_engine_refuses_names_its_flag() -> None:
    from utils.engine_loader import load_engine

    with pytest.raises(UserError, match=r"^--tts_espeak_rate: expected 80 to 450"):
        parse_command_line(["--tts", "openai,espeak", "--tts_espeak_rate", "9000"])
    arguments = parse_command_line(["--tts", "espeak,espeak", "--tts_espeak_voice", "nobody"])
    with pytest.raises(UserError, match=r"^--tts_espeak_voice: expected one of the voices"):
        load_engine(arguments, "tts")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--tts", "espeak,robot"], "--tts: expected one of espeak, openai, "),
        (
            ["--llm", "openai,auto"],
            "--llm: expected engines by their names, or auto alone, got openai,auto",
        ),
        (
            ["--tts", "espeak,openai,openai"],
            "--tts: expected each engine once behind the first, got espeak,openai,openai",
        ),
        (["--vad", "silero,energy"], "--vad: expected one of "),
        (
            ["--tts", "openai,espeak", "--tts_rate", "90"],
            "--tts_rate: espeak stands behind another engine, so its flag is --tts_espeak_rate",
        ),
        (["--tts", "openai,espeak", "--failover_tts_s", "0"], "--failover_tts_s: expected more than 0"),
        (["--thresch", "0.5"], "there is no flag --thresch; the nearest is --thresh"),
        (["--tts_voise=en"], "there is no flag --tts_voise; the nearest is --tts_voice"),
        (["--thresh", "loud"], "argument --thresh: invalid float value: 'loud'"),
        (["--thresh", "3"], "--thresh: expected a probability between 0 and 1, got 3.0"),
        (["--sample_rate", "44100"], "--sample_rate: expected 16000 or 8000, got 44100"),
        (["--min_silence_ms", "-1"], "--min_silence_ms: expected milliseconds, 0 or more, got -1.0"),
        (["--recv_port", "70000"], "--recv_port: expected a port from 0 to 65535, got 70000"),
        (["--send_port", "12345"], "--send_port: expected another port than recv_port, got 12345"),
        (["--mode", "telepathy"], "invalid choice: 'telepathy'"),
        (["--stt", "ears"], "--stt: expected one of moonshine, pocketsphinx, "),
        (["--llm", "brain"], "--llm: expected one of openai, openai-responses, transformers, "),
        (["--input", "x.wav"], "--input belongs to --mode file, which is not the one chosen"),
        (
            ["--stt_grammar", "x"],
            "--stt_grammar belongs to --stt pocketsphinx, which is not the one chosen",
        ),
        (["--lm_model_name", "x"], "--lm_model_name belongs to --llm transformers"),
        (["--llm", "eliza", "--llm_stream"], "--llm_stream belongs to --llm openai"),
        (["--llm_base_url", "x"], "--llm_base_url belongs to --llm openai"),
        (["--llm_gen_max_tokens", "-4"], "--llm_gen_max_tokens: expected 1 or more, got -4"),
        (["--speech_pad_ms", "inf"], "--speech_pad_ms: expected milliseconds, 0 or more, got inf"),
        (["--llm_api_key", "sk-1"], "--llm_api_key: a key does not belong on a command line"),
        (
            ["--mode", "local", "extra"],
            "expected a flag or a JSON file in front of the flags, got 'extra'",
        ),
        (["--thre", "0.5"], "there is no flag --thre;"),
        (["nothing.json"], "nothing.json: expected a JSON file with settings: No such file"),
        (["--tts_rate", "9000"], "--tts_rate: expected 80 to 450 words a minute, got 9000"),
    ],
)
def test_a_mistake_is_one_sentence(argv: list[str], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_command_line(argv)
    assert sentence in str(caught.value)
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[1]", "expected an object with settings, got list"),
        ('{"mode": {"a": 1}}', "mode: expected a single value, got a dict"),
        ('{"llm": {"api_key": "sk-1"}}', "llm: expected a single value, got a dict"),
        ("[" * 100_000, "is not JSON"),
        ('{"speed": 3}', "there is no flag --speed"),
        ('{"open_api_api_key": "sk-1"}', "a key does not belong on a command line or in a config file"),
        ('{"llm": "openai", "llm_api_key": "sk-1"}', "a key does not belong"),
        ("\x00\xff", "is not JSON"),
        ("", "is not JSON"),
    ],
)
def test_a_mistake_in_json_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError) as caught:
        parse_command_line([str(path)])
    assert sentence in str(caught.value)
    assert "sk-1" not in str(caught.value)


def test_every_engine_of_the_registry_can_be_chosen() -> None:
    for row in all_rows():
        arguments = parse_command_line([f"--{row.stage}", row.name])
        assert arguments.engines[row.stage][0].row is row
        for alias in row.aliases:
            if not alias.endswith("_"):
                assert find(row.stage, alias) is row


def test_an_engine_that_is_not_installed_says_what_to_type() -> None:
    row = find("llm", "transformers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(UserError, match=r"needs transformers, torch, .* type: pip install"):
            row.load()


def run(*argv: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "s2s_pipeline.py"), *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_help_shows_the_flags_of_what_was_chosen() -> None:
    plain, openai = run("--help"), run("--llm", "openai", "--mode", "file", "--help")
    assert plain.returncode == openai.returncode == 0
    assert "--recv_port" in plain.stdout
    assert "--llm_base_url" not in plain.stdout
    assert "--llm_base_url" in openai.stdout
    assert "--input" in openai.stdout
    assert "--recv_port" not in openai.stdout
    assert plain.stderr == ""


def test_help_of_a_switch_for_the_opposite_says_so() -> None:
    shown = subprocess.run(
        [sys.executable, "s2s_pipeline.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    words = " ".join(shown.stdout.split())
    assert "--no_speculate, --no-speculate the opposite of --speculate " in words
    assert words.count("(default: True)") >= 1
    assert "(default: None)" not in words


@pytest.mark.parametrize("program", ["s2s_pipeline.py", "listen_and_play.py"])
def test_the_version_is_that_of_the_package(program: str) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / program), "--version"], capture_output=True, text=True, check=False
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{project['name']} {project['version']}\n"


def test_a_mistake_ends_with_code_2_and_without_a_stack_trace() -> None:
    ended = run("--tresh", "0.5")
    assert ended.returncode == 2
    assert ended.stderr == (
        "s2s_pipeline.py: there is no flag --tresh; the nearest is --thresh (--help shows all)\n"
    )
    assert ended.stdout == ""


def test_check_says_what_is_ready() -> None:
    ended = run("--check", "--recv_port", "0", "--send_port", "0")
    assert ended.returncode == 0, ended.stdout
    for topic in ("machine", "accelerator", "sound", "engine", "model", "server", "port", "environment"):
        assert f"\n{' ' * 3}{topic}" in "\n" + ended.stdout or f"ok {topic}" in ended.stdout, topic
    assert ended.stdout.endswith("ready\n")


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
