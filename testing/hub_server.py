"""HubServer: a small Hugging Face hub on this machine, over a folder, with faults on demand.

It speaks as much of the hub's protocol as `huggingface_hub` needs to look up and download a model, so
the real client is tested: give a program HF_ENDPOINT=`server.url`. ``python -m testing.hub_server
FOLDER`` serves the models in a folder, each in FOLDER/OWNER/NAME or FOLDER/NAME.
"""

import contextlib
import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_MODEL = r"(?P<name>[\w.-]+(?:/[\w.-]+)??)"
_INFO = re.compile(rf"/api/models/{_MODEL}(?:/revision/[\w.-]+)?")
_TREE = re.compile(rf"/api/models/{_MODEL}/tree/[\w.-]+")
_FILE = re.compile(rf"/{_MODEL}/resolve/[\w.-]+/(?P<file>.+)")

_PIECE = 1 << 14
"""Bytes sent at once; faults occur between two pieces."""


class HubServer:
    """Serves until the block ends. `requests` holds "METHOD /path" in order of arrival."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.gated: set[str] = set()
        """Names of models whose terms the user has not accepted: their files are refused with 403."""
        self.wants_login: set[str] = set()
        """Names of models hidden from anonymous clients: 401, as for those that do not exist."""
        self.broken_after: dict[str, int] = {}
        """File names, each with the number of bytes after which its connection breaks, once."""
        self.closes_after: dict[str, int] = {}
        """File names, each with the number of bytes after which the whole hub closes."""
        self.bytes_sent: Counter[str] = Counter()
        """Bytes sent so far, by file name."""
        self.pause_s = 0.0
        """Pause before each piece of a file."""
        self.silent = False
        """Accept requests and answer none."""
        self.requests: list[str] = []
        self._ended = threading.Event()
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self._server.serve_forever, name="hub", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Refuse new connections and break the open ones."""
        if not self._ended.is_set():
            self._ended.set()
            self._server.shutdown()
            self._server.server_close()

    def ended(self, wait_s: float = 0.0) -> bool:
        """Wait up to `wait_s` for the hub to close. Returns True if it has."""
        return self._ended.wait(wait_s)

    def files(self, name: str) -> dict[str, Path]:
        """The files of a model, by their names within it."""
        folder = self.models / name
        return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: HubServer

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client left midway
            self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: `requests` records it."""

    def _answer(self) -> None:
        hub, path = self.server_hub, self.path.partition("?")[0]
        hub.requests.append(f"{self.command} {path}")
        if hub.silent:
            hub.ended(60)
            self.close_connection = True
            return
        if found := _FILE.fullmatch(path):
            kind = "file"
        elif found := _TREE.fullmatch(path):
            kind = "tree"
        elif found := _INFO.fullmatch(path):
            kind = "info"
        name = found["name"] if found else ""
        files = hub.files(name) if found else {}
        if found is None or not files or name in hub.wants_login:
            self._refuse(401, "", "Invalid username or password.")  # as the real hub answers both
        elif kind == "file" and name in hub.gated:
            self._refuse(403, "GatedRepo", f"Access to model {name} is restricted.")
        elif kind == "info":
            self._send_json(_info(name, files))
        elif kind == "tree":
            self._send_json([_entry(file, path) for file, path in files.items()])
        elif found["file"] not in files:
            self._refuse(404, "EntryNotFound", "Entry not found")
        else:
            self._send_file(found["file"], files)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _send_file(self, file: str, files: dict[str, Path]) -> None:
        data, hub = files[file].read_bytes(), self.server_hub
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("ETag", f'"{_digest(data)}"')
        self.send_header("X-Repo-Commit", _commit(files))
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        goodbye = hub.closes_after.get(file)
        end = hub.broken_after.pop(file, len(data) if goodbye is None else goodbye)
        for begin in range(start, end, _PIECE):
            time.sleep(hub.pause_s)
            if hub.ended():
                break
            piece = data[begin : min(begin + _PIECE, end)]
            hub.bytes_sent[file] += self.wfile.write(piece)
        if goodbye is not None:
            hub.close()
        self.close_connection = hub.ended() or end < len(data)


def _info(name: str, files: dict[str, Path]) -> dict[str, Any]:
    siblings = [{"rfilename": file, "size": path.stat().st_size} for file, path in files.items()]
    return {"id": name, "sha": _commit(files), "private": False, "gated": False, "siblings": siblings}


def _entry(file: str, path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"type": "file", "path": file, "size": len(data), "oid": _digest(data)}


def _digest(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def _commit(files: dict[str, Path]) -> str:
    """A commit hash of names, sizes and times, so that every change makes a new commit."""
    kept = [(file, path.stat().st_size, path.stat().st_mtime_ns) for file, path in files.items()]
    return _digest(repr(kept).encode())


if __name__ == "__main__":
    with HubServer(Path(sys.argv[1])) as server:
        print(server.url, flush=True)
        sys.stdin.read()
