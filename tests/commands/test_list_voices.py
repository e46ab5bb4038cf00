"""`--list_voices`: the voices of the chosen synthesizer, or of the end-to-end engine."""

import pytest

from commands.list_voices import _lines
from pipeline.engine_info import DuplexInfo, LiveInfo, ResponderInfo
from tests.command import run


def test_the_voices_are_listed() -> None:
    listed = run("--tts", "espeak", "--list_voices")
    assert listed.returncode == 0, listed.stderr
    lines = [" ".join(line.split()) for line in listed.stdout.splitlines()]
    assert len(lines) > 100
    assert {"te Telugu", "hi Hindi", "en-us English (United States)", "Arjun Telugu"} <= set(lines)


def test_a_tone_has_no_voices() -> None:
    ended = run("--s2s", "tone", "--list_voices")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "tone has no voices to choose from; its languages: any\n"


@pytest.mark.parametrize(
    ("info", "lines"),
    [
        (
            ResponderInfo(name="e", sample_rate_hz=1, languages=("te",), voices=("low", "high")),
            ["low", "high", "languages: Telugu (te)"],
        ),
        (DuplexInfo(name="e", sample_rate_hz=1, frame_samples=1, voices=("low",)), ["low"]),
        (LiveInfo(name="e", sample_rate_hz=1, frame_samples=1, voices=("low",)), ["low"]),
        (DuplexInfo(name="e", sample_rate_hz=1, frame_samples=1), ["e has no voices to choose from"]),
    ],
)
def test_the_voices_of_end_to_end_engines(
    info: ResponderInfo | DuplexInfo | LiveInfo, lines: list[str]
) -> None:
    assert list(_lines(info)) == lines
