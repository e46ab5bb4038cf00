"""A JSON file of settings, and the sentences about mistakes in it."""

import json
from pathlib import Path

import pytest

from arguments_classes.module_arguments import ModuleArguments
from command_line.parse import parse_command_line
from pipeline.errors import UserError


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
        ('{"mode": {"a": 1}}', "mode: expected a single value, got a dict"),
        ('{"llm": {"api_key": "sk-1"}}', "llm: expected a single value, got a dict"),
        ("[" * 100_000, "is not JSON"),
        ('{"speed": 3}', "there is no flag --speed"),
        ('{"open_api_api_key": "sk-1"}', "a key does not belong on a command line or in a config file"),
        ('{"llm": "openai", "llm_api_key": "sk-1"}', "a key does not belong"),
        ('{"--mode": "file"}', "expected 'mode', without dashes, got '--mode'"),
        ('{"--llm_api_key=sk-1": true}', "expected 'llm_api_key', without dashes"),
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
