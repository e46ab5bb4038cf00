"""ChatServer: a small server with the OpenAI chat protocol, that does what it is told and notes it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipeline.turn import CancelToken
from testing.hold import Hold


class ChatServer:
    """Listens on a free port of the loopback address. `failures` are given first: an HTTP status, an
    answer that is not of the protocol, or "hang up" to close the connection after the headers."""

    def __init__(self, reply: str = "Hello. How are you?", model: str = "scripted") -> None:
        self.reply = reply
        self.model = model
        self.call: tuple[str, str] | None = None
        """The name and the arguments of a function that the next answer asks for, after its words."""
        self.failures: list[int | str | dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.before_headers = Hold()
        self.between_words = Hold()
        self.client_left = threading.Event()
        server = self

        class Handler(_Handler):
            """Serves this server's script."""

            script = server

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client left
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_port)

    @property
    def base_url(self) -> str:
        """What an OpenAI client is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "ChatServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.before_headers.open()
        self.between_words.open()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    script: ChatServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """List the models."""
        self._note()
        if not self._fails(self._next_failure()):
            models = [{"id": self.script.model, "object": "model"}]
            self._send_json({"object": "list", "data": models})

    def do_POST(self) -> None:
        """Answer a chat."""
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.script.requests.append(request)
        self._note()
        failure = self._next_failure()
        if self._fails(failure):
            return
        try:
            self.script.before_headers.pass_through(CancelToken())
            if request.get("stream"):
                self._stream(hang_up=failure == "hang up")
            else:
                message: dict[str, Any] = {"role": "assistant", "content": self.script.reply}
                if self.script.call is not None:
                    message["tool_calls"] = [_call(*self.script.call)]
                self._send_json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        except OSError:
            self.script.client_left.set()

    def _next_failure(self) -> int | str | dict[str, Any] | None:
        return self.script.failures.pop(0) if self.script.failures else None

    def _fails(self, failure: int | str | dict[str, Any] | None) -> bool:
        if isinstance(failure, int):
            self._send_json({"error": {"message": "scripted"}}, failure)
        elif isinstance(failure, dict):
            self._send_json(failure)
        return isinstance(failure, (int, dict))

    def _note(self) -> None:
        self.script.keys.append(self.headers.get("authorization", "").removeprefix("Bearer "))

    def _stream(self, *, hang_up: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if hang_up:
            self.close_connection = True
            return
        for count, word in enumerate(self.script.reply.split(" ")):
            self.script.between_words.pass_through(CancelToken())
            delta = {"content": word if count == 0 else f" {word}"}
            self._chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        if self.script.call is not None:
            name, arguments = self.script.call
            half = len(arguments) // 2
            more = {"index": 0, "function": {"arguments": arguments[half:]}}
            for piece in ({"index": 0, **_call(name, arguments[:half])}, more):
                self._chunk({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]})
        self._write(b"data: [DONE]\n\n")
        self._write(b"")

    def _chunk(self, fields: dict[str, Any]) -> None:
        self._write(b"data: " + json.dumps(fields).encode() + b"\n\n")

    def _write(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _send_json(self, fields: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
