"""The command for codecs without their packages, and the flags of each codec; needs no torch."""

import subprocess
import sys
from importlib.machinery import ModuleSpec

import pytest

from pipeline.errors import UserError
from S2S.codec import choice
from S2S.codec.__main__ import main
from S2S.codec.base import CodecInfo
from tests.command import ROOT


def test_missing_packages_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None if name in ("torch", "pystoi") else ModuleSpec(name, None)

    monkeypatch.setattr(choice, "find_spec", find)
    assert main(["roundtrip", "in.wav", "out.wav", "--codec", "mimi"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == ("S2S.codec: not installed: torch, pystoi; type: pip install -e '.[codec]'\n")


@pytest.mark.parametrize(
    ("codec", "setting", "said"),
    [
        (
            "mimi",
            {"bandwidth_kbps": 6.0},
            "--bandwidth belongs to --codec encodec, but the codec is mimi",
        ),
        ("hifi-gan", {"codebooks": 8}, "--codebooks belongs to --codec mimi, but the codec is hifi-gan"),
    ],
)
def test_a_flag_of_another_codec(codec: str, setting: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        choice.open_coder(codec, "cpu", **setting)


def test_help_and_mistakes_load_nothing() -> None:
    code = (
        "import sys, contextlib; from S2S.codec.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main(['roundtrip', '--help'])\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) < 35


def test_bitrates() -> None:
    mimi = CodecInfo("mimi", "", 24000, 1920, 8, 2048)
    assert (mimi.frame_rate_hz, mimi.bitrate_bps) == (12.5, 1100)
    assert CodecInfo("encodec", "", 24000, 320, 8, 1024).bitrate_bps == 6000
    assert CodecInfo("hifi-gan", "", 16000, 256).bitrate_bps is None
