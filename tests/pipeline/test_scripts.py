"""Runs of one script in a text."""

import random

import pytest

from pipeline.scripts import LANGUAGES, script_runs, scripts_of
from TTS.espeak import EspeakSynthesizer

ENGLISH = scripts_of(["en"])


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        (
            "The word for hello is こんにちは, or नमस्ते in Hindi.",
            [
                (None, "The word for hello is "),
                ("ja", "こんにちは, "),
                (None, "or "),
                ("hi", "नमस्ते "),
                (None, "in Hindi."),
            ],
        ),
        ("你好，世界！Hello", [("zh", "你好，世界！"), (None, "Hello")]),
        ("日本語です", [("zh", "日本語"), ("ja", "です")]),
        ("ジャーナル", [("ja", "ジャーナル")]),
        ("Version 3 世界 5 times", [(None, "Version 3 "), ("zh", "世界 "), (None, "5 times")]),
        ("(नमस्ते) ok", [(None, "("), ("hi", "नमस्ते) "), (None, "ok")]),
        ("π is α", [(None, "π is α")]),
        ("λόγος", [("el", "λόγος")]),
        ("Привет, Київ", [("uk", "Привет, Київ")]),
        ("گربه چیست", [("fa", "گربه چیست")]),
        ("café, ａｂｃ 😀", [(None, "café, ａｂｃ 😀")]),
        ("...", [(None, "...")]),
        ("", []),
    ],
)
def test_runs(text: str, runs: list[tuple[str | None, str]]) -> None:
    assert [(run.language, run.text) for run in script_runs(text, ENGLISH)] == runs


def test_what_a_language_is_written_in_is_not_foreign() -> None:
    assert scripts_of(["hi", "mr"]) == {"DEVANAGARI"}
    assert scripts_of(["ja"]) == {"HIRAGANA", "KATAKANA", "CJK"}
    assert [run.language for run in script_runs("日本語です hello", scripts_of(["ja"]))] == [None]
    assert [run.language for run in script_runs("నమస్కారం", scripts_of(["hi"]))] == ["te"]


def test_the_runs_are_the_text_and_know_their_place() -> None:
    choose = random.Random(0)
    for _ in range(2000):
        text = "".join(choose.choices("ab 1,.(あ世हिαπб😀’ー々\n", k=choose.randrange(12)))
        runs = script_runs(text, ENGLISH)
        assert "".join(run.text for run in runs) == text
        for run in runs:
            assert text[run.start :].startswith(run.text)


def test_espeak_speaks_every_language_that_a_script_is_taken_for() -> None:
    assert {*LANGUAGES.values(), "uk", "ur", "fa"} <= set(EspeakSynthesizer().info.languages)
