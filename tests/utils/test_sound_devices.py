"""The standard error while PortAudio and ALSA work: their lines go to the log, all others are kept."""

import logging
import os

import pytest

from utils.sound_devices import native_messages_logged

ALSA = "ALSA lib pcm.c:8570:(snd_pcm_recover) underrun occurred"
PORTAUDIO = "Expression 'err' failed in 'src/hostapi/alsa/pa_linux_alsa.c', line: 3355"


def test_native_lines_go_to_the_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), native_messages_logged():
        os.write(2, f"{ALSA}\na warning of ours\n{PORTAUDIO}\n".encode())
    assert capfd.readouterr().err == "a warning of ours\n"
    assert [record.message for record in caplog.records] == [ALSA, PORTAUDIO]


def test_they_are_found_behind_the_text_of_others(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), native_messages_logged():
        os.write(2, f"loading...{ALSA}\n".encode())
    assert capfd.readouterr().err == "loading..."
    assert [record.message for record in caplog.records] == [ALSA]


def test_they_do_so_when_an_error_ends_the_block(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ValueError, match="refused"):
        refuse()
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"
    assert [record.message for record in caplog.records] == [PORTAUDIO]


def refuse() -> None:
    with native_messages_logged():
        os.write(2, f"{PORTAUDIO}\n".encode())
        raise ValueError("refused")
