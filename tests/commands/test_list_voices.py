"""`--list_voices`: the voices of the chosen synthesizer."""

from tests.command import run


def test_the_voices_are_listed() -> None:
    listed = run("--tts", "espeak", "--list_voices")
    assert listed.returncode == 0, listed.stderr
    lines = [" ".join(line.split()) for line in listed.stdout.splitlines()]
    assert len(lines) > 100
    assert {"te Telugu", "hi Hindi", "en-us English (United States)", "Arjun Telugu"} <= set(lines)


def test_without_a_synthesizer_there_are_no_voices() -> None:
    ended = run("--s2s", "tone", "--list_voices")
    assert ended.returncode == 2
    assert "--list_voices: expected a synthesizer (--tts), got --s2s, which has none" in ended.stderr
