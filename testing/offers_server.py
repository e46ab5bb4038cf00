"""OffersServer: a server of the page whose one offer moves on when a test says so."""

import json
import mimetypes
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from connections.web.app import PAGE, SECURITY_HEADERS


class OffersServer:
    """`info` is its `/v1/info`; `steps` takes the states of the offer that is begun, and None at the end
    of the stream."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.steps: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.posted: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port: int = self._http.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.steps.put(None)
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/v1/info":
                    self._answer(json.dumps(server.info).encode(), "application/json")
                else:
                    file = PAGE / self.path.removeprefix("/web/")
                    kind = mimetypes.guess_type(file.name)[0] or "text/html"
                    self._answer(file.read_bytes() if file.is_file() else b"", kind)

            def do_POST(self) -> None:
                server.posted.append(self.path)
                if self.path.endswith("/undo"):
                    state = {**server.info["offers"][0], "state": "available"}
                    self._answer(json.dumps(state).encode(), "application/json")
                else:
                    self._stream()

            def _stream(self) -> None:
                self._head("application/x-ndjson")
                while (step := server.steps.get()) is not None:
                    line = {**server.info["offers"][0], **step}
                    self.wfile.write(json.dumps(line).encode() + b"\n")
                    self.wfile.flush()

            def _answer(self, body: bytes, kind: str) -> None:
                self._head(kind)
                self.wfile.write(body)

            def _head(self, kind: str) -> None:
                self.send_response(200)
                for name, value in {**SECURITY_HEADERS, "Content-Type": kind}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None: ...

        return Handler
