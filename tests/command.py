"""Running the command as a user does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 200.0


def command(*argv: str, program: str = "s2s_pipeline.py") -> list[str]:
    """The command line, with warnings as errors as in all tests."""
    return [sys.executable, "-W", "error::ResourceWarning", str(ROOT / program), *argv]


def run(*argv: str, stdin: bytes | None = None, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    ended = subprocess.run(
        command(*argv), input=stdin, capture_output=True, timeout=TIMEOUT_S, cwd=cwd, check=False
    )
    return subprocess.CompletedProcess(
        ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode()
    )


def tracked(pattern: str) -> list[str]:
    """The tracked files that match, by their paths from the project's root."""
    listed = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return listed.stdout.splitlines()
    files = (path.relative_to(ROOT) for path in ROOT.rglob(pattern) if path.is_file())
    return [str(path) for path in files if path.parts[0] not in (".venv", ".git", "out")]
