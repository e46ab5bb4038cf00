"""Install a package from its sdist where pip cannot build it. Run this by path with the Python of the
environment; it needs the standard library alone: ``python commands/sdist.py URL SHA256 PACKAGE``."""

import hashlib
import io
import sys
import sysconfig
import tarfile
import urllib.request
from pathlib import Path


def unpack(archive: bytes, sha256: str, package: str, folder: Path) -> None:
    """Extract the folder `package` from the archive. Raises `ValueError` for any other SHA-256."""
    got = hashlib.sha256(archive).hexdigest()
    if got != sha256:
        raise ValueError(f"expected an archive with the SHA-256 {sha256}, got {got}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files.getmembers():
            _, _, member.name = member.name.partition("/")
            if member.name == package or member.name.startswith(f"{package}/"):
                files.extract(member, folder, filter="data")


if __name__ == "__main__":
    url, sha256, package = sys.argv[1:]
    with urllib.request.urlopen(url) as answer:
        unpack(answer.read(), sha256, package, Path(sysconfig.get_path("purelib")))
