"""A JSON file of settings, and the sentences about mistakes in it."""

import json
from pathlib import Path

import pytest

from arguments_classes.module_arguments import ModuleArguments
from command_line.config_file import ConfigFile
from command_line.parse import parse_command_line
from pipeline.errors import Unavailable, UserError
from tests.command import run


def config(tmp_path: Path, **settings: object) -> str:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    return str(path)


def test_a_json_file_and_flags_that_win_over_it(tmp_path: Path) -> None:
    path = config(tmp_path, mode="local", thresh=0.4, json_events=True, stt_model_name=None)
    arguments = parse_command_line([path, "--thresh", "0.6"])
    assert arguments.module == ModuleArguments(mode="local", json_events=True)
    assert arguments.vad.thresh == 0.6


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[1]", "expected an object with settings, got list"),
        ('{"mode": {"a": 1}}', 'json: "mode": expected a single value, got an object'),
        (
            '{"llm": {"api_key": "sk-1"}}',
            'json: "llm": expected a single value, got an object; settings',
        ),
        ('{"tts": ["kokoro", "espeak"]}', 'json: "tts": expected a single value, got a list; several'),
        ('{"min_silence_ms": "five"}', 'json: "min_silence_ms": expected a number, got "five"'),
        ('{"port": 8.5, "mode": "websocket"}', 'json: "port": expected a whole number, got 8.5'),
        ('{"json_events": 3}', 'json: "json_events": expected true or false, got 3'),
        (
            '{"mode": true}',
            'json: "mode": expected one of socket, websocket, realtime, local, file, got true',
        ),
        ('{"thresh": 3}', 'json: "thresh": expected a probability between 0 and 1, got 3.0'),
        ('{"tts": "kokorro"}', 'json: "tts": expected one of espeak'),
        ('{"s2s": "tone", "stt": "moonshine"}', 'json: "s2s" takes the place of "stt"'),
        ('{"s2s": "moshi", "language": "te"}', 'json: "language" is for the choice of a language'),
        ('{"mode": "local", "mode": "file"}', 'json: "mode" stands there twice'),
        ('{"log-level": "debug", "log_level": "info"}', 'json: "log_level" stands there twice'),
        (
            '{"mode": "local",\n "tts" "espeak"}',
            "is not JSON: line 2, column 8: Expecting ':' delimiter",
        ),
        ("[" * 100_000, "is not JSON"),
        ('{"colour": 3}', 'json: there is no setting "colour" ('),
        ('{"tresh": 3}', 'json: there is no setting "tresh"; the nearest is --thresh'),
        ('{"open_api_api_key": "sk-1"}', "a key does not belong on a command line or in a config file"),
        ('{"llm": "openai", "llm_api_key": "sk-1"}', "a key does not belong"),
        ('{"--mode": "file"}', "expected 'mode', without dashes, got '--mode'"),
        ('{"--llm_api_key=sk-1": true}', "expected 'llm_api_key', without dashes"),
        ("\x00\xff", "is not JSON"),
        ("", 'is empty: expected settings such as {"mode": "local"}'),
        (" \n", "is empty"),
    ],
)
def test_a_mistake_in_json_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError) as caught:
        parse_command_line([str(path)])
    assert sentence in str(caught.value)
    assert "sk-1" not in str(caught.value)


def test_a_mistake_in_a_flag_beside_the_file_is_one_of_the_command_line(tmp_path: Path) -> None:
    path = config(tmp_path, thresh=0.5)
    with pytest.raises(UserError, match=r"^--thresh: expected a number, got 'loud'$"):
        parse_command_line([path, "--thresh", "loud"])
    with pytest.raises(UserError, match=r"^--min_silence_ms: expected a number"):
        parse_command_line([path, "--min_silence_ms", "five"])


@pytest.mark.parametrize(
    ("settings", "flags"),
    [
        ({"stt": "whisper", "stt_model_name": "x", "lm_model_name": "y"}, ["--s2s", "tone"]),
        ({"s2s": "moshi", "s2s_model_name": "moshika"}, ["--stt", "moonshine"]),
        ({"tts": "openai", "tts_base_url": "http://x"}, ["--tts=espeak"]),
        ({"mode": "local", "input_device": "USB"}, ["--mode", "websocket"]),
        ({"mode": "file", "input": "a.wav", "headphones": True}, ["--mode", "local"]),
    ],
)
def test_settings_of_a_part_that_a_flag_replaces_are_ignored(
    settings: dict[str, object], flags: list[str], tmp_path: Path
) -> None:
    assert parse_command_line([config(tmp_path, **settings), *flags])


EXAMPLE = {
    **{
        "mode": "local",
        "thresh": 0.3,
        "stt": "whisper,moonshine",
        "failover_stt_s": 2,
        "language": "en",
    },
    **{"llm": "eliza", "chat_size": 10, "tts": "espeak", "tts_rate": 170, "device": "auto"},
}


@pytest.mark.parametrize(
    "flags",
    [
        ["--s2s", "tone"],
        ["--s2s", "moshi"],
        ["--s2s=realtime"],
        ["--preset", "duplex"],
        ["--stt", "moonshine"],
        ["--preset", "cpu", "--stt", "moonshine"],
    ],
)
def test_the_command_line_replaces_all_of_a_file_that_it_leaves_no_room_for(
    flags: list[str], tmp_path: Path
) -> None:
    assert parse_command_line([config(tmp_path, **EXAMPLE), *flags])


def test_a_preset_on_the_command_line_wins_over_the_engines_of_the_file(tmp_path: Path) -> None:
    path = config(tmp_path, **EXAMPLE, stt_model_name="tiny")
    arguments = parse_command_line([path, "--preset=offline", "--tts", "espeak"])
    chosen = {stage: engines[0] for stage, engines in arguments.engines.items()}
    assert (chosen["stt"].spec.name, chosen["llm"].spec.name) == ("moonshine", "smollm2")
    assert chosen["stt"].settings["model_name"] == "tiny-en"
    assert chosen["tts"].settings["rate"] == 170, "not touched by it"
    assert arguments.vad.thresh == 0.3


def test_a_mistake_that_is_found_while_loading_names_the_file_and_the_key(tmp_path: Path) -> None:
    path = config(tmp_path, mode="websocket", port=0, llm="eliza", tts="espeak", tts_voice="me")
    ended = run(path)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f's2s_pipeline.py: {path}: "tts_voice": expected one of the voices')
    assert 'got "me"' in ended.stderr


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("--tts_voice: expected a, got 'me'", 'my.json: "tts_voice": expected a, got "me"'),
        ("--tts_model_name /a/b: no file", 'my.json: "tts_model_name": "/a/b": no file'),
        ("--stt none: use --llm openai", 'my.json: "stt": "none": use --llm openai'),
        ("--llm_top_p: too much", 'my.json: "open_api_top-p": too much'),
        ("--tts piper needs x; type: s2s get --stt none", 'my.json: "tts": "piper" needs x; type: s2s '
         "get --stt none"),
        ("no network; s2s --stt none works now", "no network; s2s --stt none works now"),
        ("no voice; add --tts_voice", "no voice; add --tts_voice"),
        ("--llm eliza --tts piper needs x", 'my.json: "llm": "eliza" "tts": "piper" needs x'),
        ("--s2s one two needs x", 'my.json: "s2s": "one two" needs x'),
        ("--s2s: expected x, got 'three,one two'", 'my.json: "s2s": expected x, got "three,one two"'),
        ("--vad silero needs x", "--vad silero needs x"),
        ("--vad: expected x, got auto", 'my.json: "vad": expected x, got auto'),
        ("--thresh: loud", "--thresh: loud"),
    ],
)  # fmt: skip
def test_the_flag_that_a_sentence_begins_with_becomes_the_key_of_the_file(told: str, named: str) -> None:
    settings = {"stt": "none", "llm": "eliza", "tts": "piper", "tts_voice": "me", "open_api_top-p": 2}
    more = {"tts_model_name": "/a/b", "s2s": "three,one two", "vad": "auto"}
    file = ConfigFile("my.json", {**settings, **more})
    assert file.named(told) == named
    with pytest.raises(Unavailable) as caught, file.naming():
        raise Unavailable(told)
    assert str(caught.value) == named


def test_settings_of_the_same_part_stay(tmp_path: Path) -> None:
    path = config(tmp_path, mode="file", input="a.wav", tts="espeak", tts_rate=90, headphones=True)
    arguments = parse_command_line([path, "--tts", "espeak", "--mode", "file"])
    assert arguments.engines["tts"][0].settings["rate"] == 90
    assert (arguments.mode.input, arguments.mode.headphones) == ("a.wav", True)  # type: ignore[union-attr]
    local = parse_command_line([path, "--mode", "local"])
    assert local.mode.headphones is True  # type: ignore[union-attr]
