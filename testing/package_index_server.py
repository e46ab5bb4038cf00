"""PackageIndexServer: a package index on this machine, over a folder of wheels, with faults on demand.

It speaks both forms of the protocol, HTML and JSON: give a program PIP_INDEX_URL=`server.url`. It is a
proxy, too, which answers in place of every server.
"""

import json
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class PackageIndexServer:
    """Serves until the block ends. `requests` holds the paths in order of arrival, to a proxy whole
    addresses. `certificate`: a file with a certificate and its key, for HTTPS with clients that have it,
    too."""

    def __init__(self, wheels: Path, certificate: Path | None = None) -> None:
        self.wheels = wheels
        self.speaks_json = True
        self.status = 200
        """The status of the pages that list wheels."""
        self.list: bytes | None = None
        """A page in place of each list of wheels in JSON."""
        self.breaks_after: int | None = None
        """The number of bytes of a wheel after which its connection breaks."""
        self.requests: list[str] = []
        self.authorizations: set[str] = set()
        index = self

        class Handler(_Handler):
            server_index = index

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/simple"
        if certificate is not None:
            self.url = self.url.replace("http", "https", 1)
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificate))
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> "PackageIndexServer":
        threading.Thread(target=self._server.serve_forever, name="index", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_index: PackageIndexServer

    def do_GET(self) -> None:
        index = self.server_index
        index.requests.append(self.path)
        index.authorizations.add(self.headers.get("Authorization", ""))
        path = urlsplit(self.path).path
        if path.startswith("/files/"):
            self._send_wheel(index.wheels / path.removeprefix("/files/"))
            return
        project = path.removeprefix("/simple/").rstrip("/").replace("-", "_")
        wheels = [file.name for file in sorted(index.wheels.glob(f"{project}-*.whl"))]
        if index.status != 200 or not wheels:
            self._send(404 if index.status == 200 else index.status, "text/plain", b"")
        elif index.speaks_json and "application/vnd.pypi.simple.v1+json" in self.headers["Accept"]:
            listed = {"files": [{"filename": name, "url": f"../../files/{name}"} for name in wheels]}
            page = json.dumps(listed).encode() if index.list is None else index.list
            self._send(200, "application/vnd.pypi.simple.v1+json", page)
        else:
            links = "".join(
                f'<a data-x="1" href="../../files/{name}#sha256=0">{name}</a><br/>' for name in wheels
            )
            self._send(200, "text/html; charset=utf-8", f"<html><body>{links}</body></html>".encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: `requests` records it."""

    def _send_wheel(self, file: Path) -> None:
        assert re.fullmatch(r"[\w.-]+\.whl", file.name), file
        self._send(200, "application/octet-stream", file.read_bytes(), self.server_index.breaks_after)

    def _send(self, status: int, kind: str, body: bytes, end: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:end])
