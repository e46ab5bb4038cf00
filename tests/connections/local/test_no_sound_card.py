"""A machine without sound: one sentence and exit code 3, which `make talk` checks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import NoAudioDevice
from tests.command import command
from utils.sound_devices import load_sounddevice


@pytest.mark.parametrize(
    ("program", "argv"), [("s2s_pipeline.py", ["--mode", "local"]), ("listen_and_play.py", [])]
)
def test_no_microphone(program: str, argv: list[str], tmp_path: Path) -> None:
    nobody = os.environ | {
        "HOME": str(tmp_path),
        "PULSE_SERVER": "unix:/nowhere",
        "PIPEWIRE_REMOTE": "/nowhere",
    }
    ended = subprocess.run(
        command(*argv, program=program),
        env=nobody,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    if ended.returncode == -9 or "connected" in ended.stderr:
        pytest.skip("this machine has a microphone that does not need a sound server")
    assert ended.returncode == 3, ended.stderr
    assert "no microphone" in ended.stderr or "PortAudio library is missing" in ended.stderr


def test_without_portaudio_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        """An import that fails like sounddevice's without its library."""

        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(NoAudioDevice, match="PortAudio library is missing; type: "):
        load_sounddevice()
