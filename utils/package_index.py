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
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass, url2pathname

from pipeline.errors import UserError
from utils.progress import Progress
from utils.reason import reason_of

if TYPE_CHECKING:
    import httpx2

PYPI = "https://pypi.org/simple"

ANSWER_S = 15.0
"""Time for an index to answer, and between two pieces of a wheel, if pip and uv set none."""

MAX_WHEEL_BYTES = 1 << 28
"""Size of a wheel beyond which its download is given up. That of the largest model here is 90 MB."""

_PIP = (
    *("index-url", "extra-index-url", "find-links", "no-index"),
    *("cert", "client-cert", "trusted-host", "proxy", "timeout", "default-timeout"),
)
"""The settings of pip that are read; of the others, none says where packages come from."""

_UV = ("DEFAULT_INDEX", "INDEX_URL", "INSECURE_HOST", "HTTP_TIMEOUT")

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
    own_certificate: str | None = None
    """A file with the certificate of the client, and its key."""
    trusted: Collection[str] = ()
    """Hosts, with or without a port, whose certificates are not checked."""
    proxy: str | None = None
    """The address of a proxy, in place of those of the environment (HTTPS_PROXY, NO_PROXY)."""
    answer_s: float = ANSWER_S
    """Time for an index to answer, and between two pieces of a wheel."""
    _silent: dict[str, str] = field(default_factory=dict)
    """Hosts that did not answer, each with the reason: they are not asked again."""

    @classmethod
    def configured(cls, environment: Mapping[str, str] = os.environ) -> "PackageIndex":
        """The index that pip or uv is configured for on this machine, by the environment (PIP_*, UV_*)
        and pip's files. Raises `UserError` for a time limit that is no number."""
        pip = _pip_settings(environment)
        uv = {name: environment.get(f"UV_{name}", "") for name in _UV}
        index = pip.get("index-url") or uv["DEFAULT_INDEX"] or uv["INDEX_URL"] or PYPI
        trusted = f"{pip.get('trusted-host', '')} {uv['INSECURE_HOST']}"
        extra = [pip.get("extra-index-url", "")]
        extra += [environment.get(f"UV_{name}", "") for name in ("INDEX", "EXTRA_INDEX_URL")]
        links = f"{pip.get('find-links', '')} {environment.get('UV_FIND_LINKS', '').replace(',', ' ')}"
        offline = pip.get("no-index", "").lower() in ("1", "true", "yes", "on")
        named = [] if offline else [index, *" ".join(extra).split()]
        return cls(
            [re.sub(r"^[\w.-]+=(?=\w+:)", "", url) for url in named],  # uv: NAME=URL
            [str(Path(link).expanduser()) if "://" not in link else link for link in links.split()],
            pip.get("cert") or environment.get("REQUESTS_CA_BUNDLE") or None,
            pip.get("client-cert") or None,
            frozenset(trusted.split()),
            _as_url(pip.get("proxy") or None),
            _seconds(pip.get("timeout") or pip.get("default-timeout") or uv["HTTP_TIMEOUT"]),
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
        """The client. Raises `UserError` for a certificate or a proxy that cannot be used."""
        import httpx2

        try:
            unchecked = self._ssl_context()
            unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
            trusted = {
                f"https://{host}": httpx2.HTTPTransport(verify=unchecked, proxy=self._proxy_for(host))
                for host in self.trusted
            }
            return httpx2.Client(
                verify=self._ssl_context(),
                timeout=self.answer_s,
                follow_redirects=True,
                proxy=self.proxy,
                mounts=trusted,
            )
        except ImportError as error:
            raise UserError(f"the proxy needs a package: {error}") from error
        except ValueError as error:
            raise UserError(f"the proxy that pip is configured for cannot be used: {error}") from error

    def _proxy_for(self, host: str) -> str | None:
        """The proxy on the way to a trusted host, by pip's setting or by the environment."""
        if self.proxy or proxy_bypass(host):
            return self.proxy
        proxies = getproxies()
        return _as_url(proxies.get("https") or proxies.get("all"))

    def _ssl_context(self) -> ssl.SSLContext:
        """The certificates to trust, and that of the client. Raises `UserError`."""
        import httpx2

        file = self.certificates
        try:
            if file is None:
                context = httpx2.create_ssl_context()
            elif Path(file).is_dir():
                context = ssl.create_default_context(capath=file)
            else:
                context = ssl.create_default_context(cafile=file)
            if file := self.own_certificate:
                context.load_cert_chain(file)
        except OSError as error:
            raise UserError(
                f"expected a file of certificates, got {file}: {error.strerror or error}; pip is "
                "configured for it (cert, client-cert)"
            ) from error
        return context


def _as_url(proxy: str | None) -> str | None:
    """The address of a proxy, which may come without http://; None: no proxy."""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _seconds(text: str) -> float:
    """The time limit of pip or uv. Raises `UserError`."""
    try:
        return float(text or ANSWER_S)
    except ValueError:
        raise UserError(f"the timeout of pip or uv: expected seconds, got {text!r}") from None


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
    given = {name: environment.get(f"PIP_{name.replace('-', '_').upper()}") for name in _PIP}
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
