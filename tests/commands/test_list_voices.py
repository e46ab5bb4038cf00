"""`--list_voices`: the voices of the chosen synthesizer, or of the end-to-end engine."""

import dataclasses

import pytest

from catalog.registry import specs
from command_line.parse import parse_command_line
from commands.list_voices import (
    Info,
    for_people,
    for_programs,
    list_voices,
    of_engine,
    region_of,
    without_voices,
)
from pipeline.engine_info import DuplexInfo, LiveInfo, ResponderInfo, SynthesizerInfo
from tests.command import run

ESPEAK = SynthesizerInfo(
    name="e",
    sample_rate_hz=1,
    languages=("te", "en", "qdb"),
    voices=("te", "en-gb", "en-gb-scotland", "en-us", "qdb", "Priya", "own"),
    voice_languages={
        **{code: code for code in ("te", "en-gb", "en-gb-scotland", "en-us", "qdb")},
        "Priya": "te",
    },
)


def test_elsewhere_than_on_a_terminal_each_voice_is_a_line() -> None:
    listed = run("--tts", "espeak", "--list_voices")
    assert listed.returncode == 0, listed.stderr
    lines = [" ".join(line.split()) for line in listed.stdout.splitlines()]
    assert len(lines) > 100
    assert {"te Telugu", "hi Hindi", "en-us English (United States)", "Arjun Telugu"} <= set(lines)
    assert {"ca-va Catalan", "chr-US-Qaaa-x-west Cherokee (United States)"} <= set(lines)
    assert len({line.split()[0] for line in lines}) == len(lines)


def test_on_a_terminal_each_language_is_a_paragraph() -> None:
    assert list(for_people(ESPEAK, {"Priya"}, 100)) == [
        "  English           en-gb (United Kingdom), en-gb-scotland, en-us (United States)",
        "  Telugu            Priya, te",
        "  Others            own",
        "  Other languages   qdb",
    ]
    narrow = list(for_people(ESPEAK, {"Priya"}, 40))
    assert max(map(len, narrow)) <= 40


def test_the_voices_of_each_engine_stand_under_the_flag_that_chooses_one() -> None:
    own = SynthesizerInfo(name="a", sample_rate_hz=1, languages=("te",), voices=("own",))
    mute = SynthesizerInfo(name="c", sample_rate_hz=1, languages=("te",))
    first, second = parse_command_line(["--tts", "kokoro,espeak"]).engines["tts"]
    assert list(of_engine(own, first, 80)) == [
        "The voices of kokoro: --tts_voice NAME",
        "  Telugu            own",
    ]
    assert next(of_engine(own, second, 80)) == "The voices of espeak: --tts_espeak_voice NAME"
    assert list(of_engine(mute, second, 80)) == ["c has one voice; its languages: Telugu"]


def test_every_engine_with_voices_has_the_flag_that_is_shown_for_it() -> None:
    info = SynthesizerInfo(name="a", sample_rate_hz=1, languages=("te",), voices=("own",))
    for spec in (*specs("tts"), *specs("s2s")):
        if spec.name in ("mms", "tone", "moshi"):
            continue  # one voice
        (choice,) = parse_command_line([f"--{spec.stage}", spec.name]).engines[spec.stage]
        flag = next(of_engine(info, choice, 80)).split("--")[1].split()[0]
        assert flag in {field.name for field in dataclasses.fields(spec.argument_class() or info)}


def test_on_a_terminal_the_engines_come_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("piper", reason="no wheel for this machine")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    list_voices(parse_command_line([]))
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("The voices")]
    assert heads == [f"The voices of {name}: --tts_voice NAME" for name in ("piper", "espeak")]


def test_a_tone_has_no_voices() -> None:
    ended = run("--s2s", "tone", "--list_voices")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "tone has one voice; its languages: any\n"


def test_a_full_duplex_model_is_not_loaded_for_it() -> None:
    ended = run("--s2s", "moshi", "--list_voices")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("moshi: the voice is part of the model; for another, choose another")


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        (
            ResponderInfo(name="e", sample_rate_hz=1, languages=("te",)),
            "e has one voice; its languages: Tel",
        ),
        (
            ResponderInfo(name="e", sample_rate_hz=1, host="h"),
            "e: the server at h has its own voices and",
        ),
        (
            LiveInfo(name="e", sample_rate_hz=1, frame_samples=1),
            "e: the server has its own voices and does",
        ),
        (
            DuplexInfo(name="e", sample_rate_hz=1, frame_samples=1),
            "e: the voice is part of the model; for another, choose another --s2s_model_name",
        ),
    ],
)
def test_an_engine_without_voices_says_why(info: Info, sentence: str) -> None:
    assert without_voices(info, "s2s").startswith(sentence)


def test_the_voices_of_end_to_end_engines() -> None:
    info = ResponderInfo(name="e", sample_rate_hz=1, languages=("te",), voices=("low", "high"))
    assert list(for_programs(info)) == ["low", "high"]
    assert list(for_people(info, set(), 80)) == ["  Telugu            low, high"]


@pytest.mark.parametrize(
    ("code", "region"),
    [
        ("en-gb-scotland", "United Kingdom"), ("es-419", "Latin America"), ("vi-vn-x-south", "Vietnam"),
        ("ca-va", ""), ("ru-cl", ""), ("ca-nw", ""), ("fa-latn", ""), ("te", ""),
    ],
)  # fmt: skip
def test_regions(code: str, region: str) -> None:
    assert region_of(code) == region
