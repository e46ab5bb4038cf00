"""PackageIndex: the place that pip and uv get packages from, read without either of them.

An environment that pipx or uv made may have no pip, and neither of them tells a program how far the
download of a wheel has come.
"""

import configparser
import html
import os
import re
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from pipeline.errors import UserError
from utils.progress import Progress
from utils.reason import reason_of

if TYPE_CHECKING:
    import httpx2

PYPI = "https://pypi.org/simple"

ANSWER_S = 15.0
"""Time for an index to answer, and between two pieces of a wheel."""

MAX_WHEEL_BYTES = 1 << 28
"""Size of a wheel beyond which its download is given up. That of the largest model here is 90 MB."""

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_LINK = re.compile(r"<a\b[^>]*?\bhref\s*=\s*[\"']([^\"']+)", re.I)


@dataclass(slots=True)
class PackageIndex:
    """Pages that list the wheels of a package: `indexes` by PEP 503 and 691, and `links`, which are
    folders or single pages. The first that has a release is asked for it."""

    indexes: Sequence[str] = (PYPI,)
    links: Sequence[str] = ()
    certificates: str | None = None
    """A file of certificates to trust, in place of the usual ones."""
    _silent: dict[str, str] = field(default_factory=dict)
    """Hosts that did not answer, each with the reason: they are not asked again."""

    @classmethod
    def configured(cls, environment: Mapping[str, str] = os.environ) -> "PackageIndex":
        """The index that pip or uv is configured for on this machine, by the environment (PIP_*, UV_*)
        and pip's files."""
        pip = _pip_settings(environment)
        uv = {name: environment.get(f"UV_{name}", "") for name in ("DEFAULT_INDEX", "INDEX_URL")}
        index = pip.get("index-url") or uv["DEFAULT_INDEX"] or uv["INDEX_URL"] or PYPI
        extra = [pip.get("extra-index-url", "")]
        extra += [environment.get(f"UV_{name}", "") for name in ("INDEX", "EXTRA_INDEX_URL")]
        links = f"{pip.get('find-links', '')} {environment.get('UV_FIND_LINKS', '').replace(',', ' ')}"
        offline = pip.get("no-index", "").lower() in ("1", "true", "yes", "on")
        named = [] if offline else [index, *" ".join(extra).split()]
        return cls(
            [re.sub(r"^[\w.-]+=(?=\w+:)", "", url) for url in named],  # uv: NAME=URL
            [str(Path(link).expanduser()) if "://" not in link else link for link in links.split()],
            pip.get("cert") or None,
        )

    def download(self, release: str, to: IO[bytes], report: Progress) -> None:
        """Download the wheel of a release, such as "name==1.0", to the empty file `to`. `report` gets a
        size of 0 if the index does not tell it. Raises `UserError`."""
        import httpx2

        try:
            with self._client() as client:
                url = self._find(client, release)
                if url.startswith("file:"):
                    data = _path(url).read_bytes()
                    to.write(data)
                    report(len(data), len(data))
                    return
                with client.stream("GET", url) as answer:
                    answer.raise_for_status()
                    size = int(answer.headers.get("Content-Length", 0))
                    for piece in answer.iter_bytes(1 << 18):
                        to.write(piece)
                        if to.tell() > MAX_WHEEL_BYTES:
                            raise UserError(f"expected at most {MAX_WHEEL_BYTES >> 20} MiB of {release}")
                        report(to.tell(), size)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise UserError(f"the download of {release} broke off: {reason_of(error)}") from error

    def _find(self, client: "httpx2.Client", release: str) -> str:
        """The address of the wheel. Raises `UserError`."""
        name, _, version = release.partition("==")
        start = f"{re.sub(r'[-_.]+', '_', name)}-{version}-".lower()
        project = re.sub(r"[-_.]+", "-", name).lower()
        pages = [*self.links, *(f"{index.rstrip('/')}/{project}/" for index in self.indexes)]
        problems: dict[str, None] = {}
        for page in pages:
            try:
                for url in self._listed(client, page):
                    file = unquote(urlsplit(url).path).rpartition("/")[2]
                    if file.lower().startswith(start) and file.endswith(".whl"):
                        return url
                problems[f"{_host(page)} does not have it"] = None
            except UserError as error:
                problems[str(error)] = None
        reasons = "; ".join(problems) or "no package index is configured"
        raise UserError(f"{release} cannot be downloaded: {reasons}")

    def _listed(self, client: "httpx2.Client", page: str) -> Iterator[str]:
        """The addresses of all files on a page. Raises `UserError`."""
        import httpx2

        if page.startswith("file:") or "://" not in page:
            yield from _files_in(_path(page))
            return
        host = _host(page)
        if host in self._silent:
            raise UserError(self._silent[host])
        try:
            answer = client.get(page, headers={"Accept": _ACCEPT})
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            self._silent[host] = f"{host} cannot be reached ({reason_of(error)})"
            raise UserError(self._silent[host]) from error
        if answer.status_code == 404:
            return
        if answer.is_error:
            raise UserError(f"{host} answers {answer.status_code} {answer.reason_phrase}")
        if answer.headers.get("Content-Type", "").startswith(_JSON):
            try:
                links = [str(file["url"]) for file in answer.json()["files"]]
            except (ValueError, LookupError, TypeError) as error:
                raise UserError(f"{host} answers with something else than a list of files") from error
        else:
            links = [html.unescape(link) for link in _LINK.findall(answer.text)]
        yield from (urljoin(str(answer.url), link).partition("#")[0] for link in links)

    def _client(self) -> "httpx2.Client":
        import httpx2

        known: Any = True
        if self.certificates:
            known = ssl.create_default_context(cafile=self.certificates)
        return httpx2.Client(verify=known, timeout=ANSWER_S, follow_redirects=True)


def _pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Pip's settings: those of the environment win over its files, and later files over earlier ones."""
    settings: dict[str, str] = {}
    for file in _pip_files(environment):
        found = configparser.RawConfigParser()
        try:
            found.read(file, "utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip refuses it, which is for pip to say
        for section in ("global", "install", "download"):
            if found.has_section(section):
                settings |= dict(found.items(section))
    names = ("index-url", "extra-index-url", "find-links", "no-index", "cert")
    given = {name: environment.get(f"PIP_{name.replace('-', '_').upper()}") for name in names}
    return settings | {name: value for name, value in given.items() if value is not None}


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    import platformdirs

    chosen = environment.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    shared = platformdirs.site_config_path("pip", appauthor=False)
    own = platformdirs.user_config_path("pip", appauthor=False, roaming=True)
    files = [shared / name, Path("/etc") / name, Path.home() / ".pip" / name, own / name]
    return [*files, Path(sys.prefix) / name, *([Path(chosen).expanduser()] if chosen else [])]


def _files_in(place: Path) -> Iterator[str]:
    """The files of a folder, or those that its index.html names."""
    if (page := place / "index.html").is_file():
        links = _LINK.findall(page.read_text("utf-8"))
        yield from (urljoin(page.as_uri(), html.unescape(link)).partition("#")[0] for link in links)
    elif place.is_dir():
        yield from (file.absolute().as_uri() for file in sorted(place.iterdir()))


def _path(url: str) -> Path:
    return Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else Path(url)


def _host(page: str) -> str:
    """The host of a page, without a name and password in front of it; a folder stays as it is."""
    return urlsplit(page).hostname or page
