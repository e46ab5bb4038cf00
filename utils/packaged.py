"""Model files in packages of a Python registry: fetches them, and says where they are kept.

Only the files are taken from such a package: none of its code is installed or executed, and neither are
its dependencies. The digest of each file is known beforehand.
"""

import base64
import contextlib
import hashlib
import importlib.metadata
import os
import tempfile
import time
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from pipeline.errors import UserError
from utils.package_index import PackageIndex
from utils.progress import Progress
from utils.writable import expect_writable

STALE_S = 60.0
"""Age of an unfinished file in the cache that no program is writing any more."""


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file of `size` bytes, kept as `name` (which may have a folder) in the cache."""

    name: str
    parts: tuple[tuple[str, str], ...]
    """Releases, such as "name==1.0", each with the file in its wheel; several are joined to one."""
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """Path of the file, in MODEL_CACHE_DIR or the user's cache. The file may be missing."""
        return packaged_cache() / self.name

    @property
    def there(self) -> bool:
        """True if the file is complete, by its size. Its digest was checked when it was fetched."""
        path = self.path
        return path.is_file() and path.stat().st_size == self.size

    @property
    def intact(self) -> bool:
        """True if the file is complete and has the expected digest, which takes 2 ms a megabyte."""
        return self.there and _digest(self.path.read_bytes()) == self.sha256

    @property
    def state(self) -> str:
        """The reason for which the file cannot be used: ``missing`` or ``damaged``."""
        return "damaged" if self.path.exists() else "missing"


def packaged_cache() -> Path:
    """The folder of these files: MODEL_CACHE_DIR, or one in the user's cache."""
    return Path(os.environ.get("MODEL_CACHE_DIR") or "~/.cache/s2s_pipeline").expanduser()


Shown: TypeAlias = Callable[[PackagedFile], AbstractContextManager[Progress]]
"""The display of a download of a file; the bytes are those of its wheel."""


def _unseen(file: PackagedFile) -> AbstractContextManager[Progress]:
    return nullcontext(lambda done, size: None)


def fetch_packaged(files: Iterable[PackagedFile], shown: Shown = _unseen) -> None:
    """Fetch these files, from the index that pip or uv is configured for, unless they are there and
    intact.

    Raises `UserError` for the first that cannot be fetched, after the others have been tried; and at
    once if the folder cannot be written.
    """
    wanted = [file for file in files if not file.intact]
    if wanted:
        expect_writable(packaged_cache())
    problem: UserError | None = None
    index = PackageIndex.configured()
    wheels: dict[str, IO[bytes]] = {}
    with ExitStack() as temporary:
        for file in wanted:
            try:
                for release, _ in file.parts:
                    if release not in wheels:
                        wheel = temporary.enter_context(_nameless())
                        with shown(file) as report:
                            index.download(release, wheel, report)
                        wheels[release] = wheel
                _keep(file, b"".join(_part(file, wheels[part[0]], *part) for part in file.parts))
            except UserError as error:
                problem = problem or UserError(f"{file.name}: {error}")
            except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                problem = problem or UserError(f"{file.name}: {_in_words(error)}")
    if problem is not None:
        raise problem


def digests(files: Iterable[PackagedFile]) -> Mapping[str, bool]:
    """Names of the complete files ▶ True if the digest is the expected one."""
    return {file.name: file.intact for file in files if file.there}


def damaged_files(distribution: str, folder: str) -> list[str]:
    """The names of the files in a folder of an installed package that are not as pip installed them.

    Empty for a package that pip did not install from a wheel: nothing is known of its files.
    """
    found = importlib.metadata.files(distribution) or ()
    return [
        file.name
        for file in found
        if folder in file.as_posix() and file.hash is not None and not _is_as_installed(file)
    ]


def _is_as_installed(file: importlib.metadata.PackagePath) -> bool:
    path = Path(str(file.locate()))
    if file.hash is None or not path.is_file():
        return False
    digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=") == file.hash.value


def _nameless() -> IO[bytes]:
    """An empty file in the cache, since a wheel may be too large for the system's temporary folder. It
    has no name, so the system frees it however the program ends."""
    packaged_cache().mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=packaged_cache())


def _part(file: PackagedFile, wheel: IO[bytes], release: str, member: str) -> bytes:
    """The bytes of a member of the wheel of a release, which is a part of `file`."""
    with zipfile.ZipFile(wheel) as archive:
        try:
            size = archive.getinfo(member).file_size
        except KeyError:
            raise UserError(f"expected {member} in the wheel of {release}, found no such file") from None
        if size > file.size:
            raise UserError(f"expected at most {file.size} bytes of {member} in {release}, got {size}")
        return archive.read(member)


def _keep(file: PackagedFile, content: bytes) -> None:
    if (found := _digest(content)) != file.sha256:
        raise UserError(f"expected SHA-256 {file.sha256}, got {found}; it is not used")
    folder, name = file.path.parent, file.path.name
    folder.mkdir(parents=True, exist_ok=True)
    for partial in folder.glob(f"{name}.*.partial"):
        with contextlib.suppress(FileNotFoundError):  # another program has just finished it
            if time.time() - partial.stat().st_mtime > STALE_S:
                partial.unlink()
    partial = folder / f"{name}.{uuid.uuid4().hex}.partial"
    try:
        partial.write_bytes(content)
        partial.replace(file.path)
    finally:
        partial.unlink(missing_ok=True)


def _in_words(error: Exception) -> str:
    """The reason for which a file could not be taken out of its wheel, or kept."""
    return getattr(error, "strerror", None) or "its wheel is cut off or damaged"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
