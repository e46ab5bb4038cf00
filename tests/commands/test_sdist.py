"""A package out of an sdist."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from commands.sdist import unpack


@pytest.fixture
def archive() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as files:
        for name in ("thing-1.0/setup.py", "thing-1.0/thing/__init__.py", "thing-1.0/things/other.py"):
            files.addfile(tarfile.TarInfo(name), io.BytesIO())
    return data.getvalue()


def test_only_the_package_is_unpacked(archive: bytes, tmp_path: Path) -> None:
    unpack(archive, hashlib.sha256(archive).hexdigest(), "thing", tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py")] == [
        "thing/__init__.py"
    ]


def test_another_archive_is_refused(archive: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected an archive with the SHA-256 0123"):
        unpack(archive, "0123", "thing", tmp_path)
    assert not list(tmp_path.iterdir())
