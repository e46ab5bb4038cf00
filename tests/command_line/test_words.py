"""The words of the command `s2s`."""

from pathlib import Path

import pytest

from command_line.words import WORDS, flags_for, in_mode, names_mode, split, talks
from commands.get import get
from pipeline.errors import UserError


@pytest.mark.parametrize(
    ("typed", "flags"),
    [
        ("", ""),
        ("--tts espeak", "--tts espeak"),
        ("--input=x.wav --mode file", "--input=x.wav --mode file"),
        ("--mode file --record talk", "--mode file --record talk"),
        ("talk", "--mode local"),
        ("talk --headphones", "--mode local --headphones"),
        ("serve --port 9000", "--mode websocket --port 9000"),
        ("talk my.json --tts espeak", "my.json --mode local --tts espeak"),
        ("file x.wav --realtime", "--mode file --input x.wav --realtime"),
        ("file -", "--mode file --input -"),
        ("file --input x.wav", "--mode file --input x.wav"),
        ("check", "--check --mode local"),
        ("check all", "--check all --mode local"),
        ("check --mode websocket", "--check --mode websocket"),
        ("voices", "--list_voices"),
        ("voices kokoro --language fr", "--list_voices --tts kokoro --language fr"),
        ("voices moshi", "--list_voices --s2s moshi"),
        ("install parler", "--install parler"),
        ("my.json --mode local", "my.json --mode local"),
        ("-h", "--mode local --help"),
        ("help", "--mode local --help"),
        ("--help kokoro", "--mode local --help kokoro"),
        ("--mode websocket --help", "--mode websocket --help"),
        ("serve -h", "--mode websocket -h serve"),
        ("serve --port 9000 -h", "--mode websocket --port 9000 -h"),
        ("--help serve", "--mode websocket --help serve"),
        ("help talk", "--mode local --help talk"),
        ("talk --tts kokoro --help tts", "--mode local --tts kokoro --help tts"),
        ("file -h", "--mode file -h file"),
        ("install --help", "--help install"),
        ("--help check", "--help check"),
        ("get --help", "--help get"),
        ("voices kokoro -h", "-h voices"),
    ],
)
def test_words_stand_for_flags(typed: str, flags: str) -> None:
    assert flags_for(*split(typed.split())) == flags.split()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("tlak", "there is no command 'tlak'; the nearest is talk, and all are: talk, serve, "),
        ("Check", "there is no command 'Check'; the nearest is check"),
        ("zzz", "there is no command 'zzz'; all are: talk, serve, "),
        (
            "question.wav",
            "to answer a recording, type: s2s file question.wav",
        ),
        ("--port 8000 serve", "got 'serve' after flags; a word comes first: s2s serve …"),
        ("--language de file q.wav", "got 'file' after flags; a word comes first: s2s file …"),
        ("talk now", "expected a flag or a JSON file after s2s talk, got 'now'"),
        ("file", "expected a recording, such as: s2s file question.wav"),
        ("file --realtime", "expected a recording, such as: s2s file question.wav"),
        ("install", "expected the name of an engine, such as: s2s install parler"),
    ],
)
def test_mistakes_are_told_in_a_sentence(typed: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        flags_for(*split(typed.split()))
    assert str(caught.value).startswith(told)


def test_an_offer_takes_no_flags() -> None:
    with pytest.raises(UserError, match="expected nothing after s2s get kokoro, got '--tts'"):
        get(["kokoro", "--tts", "espeak"])


def test_a_word_wins_over_a_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*WORDS, "settings"):
        (tmp_path / name).write_text("{}")
    assert split(["talk"]) == ("talk", [])
    assert split(["settings"]) == ("", ["settings"])


def test_the_mode_may_stand_in_the_file(tmp_path: Path) -> None:
    with_mode, without = tmp_path / "with.json", tmp_path / "without.json"
    with_mode.write_text('{"mode": "websocket"}')
    without.write_text('{"language": "te"}')
    assert names_mode([str(with_mode)])
    assert not names_mode([str(without), "--model", "x"])
    assert names_mode([str(without), "--mode=local"])
    assert in_mode("local", [str(without), "--x"]) == [str(without), "--mode", "local", "--x"]
    assert in_mode("local", ["--x"]) == ["--mode", "local", "--x"]


def test_reports_and_downloads_are_no_conversation() -> None:
    assert talks(["--mode", "local", "--tts", "espeak"])
    for flag in ("--check", "--list-voices", "--help", "-h", "--version", "--install=parler"):
        assert not talks(["--mode", "local", flag])
