"""ChatServer: a small, scripted server with the OpenAI chat protocol, which records its requests."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias

from pipeline.turn import CancelToken
from testing.hold import Hold

Refusal: TypeAlias = tuple[int, Any]
"""HTTP status and body: text is sent as is, anything else as JSON."""


class ChatServer:
    """Listens on a free port of the loopback address. `failures` are served first: an HTTP status, with
    or without a body, an answer outside the protocol, "hang up" to close the connection after the
    headers, or "break off" to close it after the first piece of the answer."""

    @property
    def handler(self) -> "type[ChatHandler]":
        """The class that handles requests."""
        return ChatHandler

    def __init__(self, reply: str = "Hello. How are you?", model: str = "scripted") -> None:
        self.reply = reply
        self.model = model
        self.call: tuple[str, str] | None = None
        """Name and arguments of a function that the answers call, after their words."""
        self.failures: list[int | str | dict[str, Any] | Refusal] = []
        self.refuses: Callable[[dict[str, Any]], Refusal | None] = lambda request: None
        """The refusal of a request that this server does not accept; None for any other request."""
        self.bodies: list[tuple[str, bytes]] = []
        """Content types and bodies of the next answers, sent as is."""
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.before_headers = Hold()
        self.between_words = Hold()
        self.client_left = threading.Event()
        self.clients: set[socket.socket] = set()
        server = self

        class Handler(self.handler):  # type: ignore[misc, name-defined]
            """Serves this server's script."""

            script = server

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client left
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def listed(self) -> list[str]:
        """The models that it lists."""
        return [self.model]

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self._server.server_port)

    @property
    def base_url(self) -> str:
        """The address for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.before_headers.open()
        self.between_words.open()
        self.die()
        self._thread.join()

    def die(self) -> None:
        """Behave as if killed: refuse new connections and cut all open ones."""
        self._server.shutdown()
        self._server.server_close()
        for client in list(self.clients):
            with contextlib.suppress(OSError):  # it has left already
                client.shutdown(socket.SHUT_RDWR)


class ChatHandler(BaseHTTPRequestHandler):
    """Answers one client of a `ChatServer`."""

    script: ChatServer
    protocol_version = "HTTP/1.1"
    failure: int | str | dict[str, Any] | Refusal | None = None
    """The failure of the current answer."""

    def setup(self) -> None:
        """Register the client."""
        super().setup()
        self.script.clients.add(self.connection)

    def finish(self) -> None:
        """Forget the client, which left or was cut off."""
        self.script.clients.discard(self.connection)
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        """List the models."""
        self._note()
        if not self._fails(self._next_failure()):
            models = [{"id": model, "object": "model"} for model in self.script.listed]
            self.send_json({"object": "list", "data": models})

    def do_POST(self) -> None:
        """Answer the request, unless a failure comes first."""
        request = self.read(self.rfile.read(int(self.headers["content-length"])))
        self.script.requests.append(request)
        self._note()
        failure = self._next_failure()
        if failure is None:
            failure = self.script.refuses(request)
        if self._fails(failure):
            return
        try:
            self.script.before_headers.pass_through(CancelToken())
            self.failure = failure
            if self.script.bodies:
                self._send_body(*self.script.bodies.pop(0))
            else:
                self.answer(request)
        except OSError:
            self.script.client_left.set()

    def read(self, body: bytes) -> dict[str, Any]:
        """Parse the fields of a request."""
        fields: dict[str, Any] = json.loads(body)
        return fields

    def answer(self, request: dict[str, Any]) -> None:
        """Answer a chat."""
        if request.get("stream"):
            self._stream()
            return
        message: dict[str, Any] = {"role": "assistant", "content": self.script.reply}
        if self.script.call is not None:
            message["tool_calls"] = [_call(*self.script.call)]
        self.send_json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    def _send_body(self, content_type: str, body: bytes) -> None:
        if self.begin(content_type):
            for line in filter(None, body.splitlines(keepends=True)):
                self.write(line)
            self.write(b"")

    def _next_failure(self) -> int | str | dict[str, Any] | Refusal | None:
        return self.script.failures.pop(0) if self.script.failures else None

    def _fails(self, failure: int | str | dict[str, Any] | Refusal | None) -> bool:
        if isinstance(failure, int):
            self.send_json({"error": {"message": "scripted"}}, failure)
        elif isinstance(failure, dict):
            self.send_json(failure)
        elif isinstance(failure, tuple):
            status, body = failure
            if isinstance(body, str):
                self._send_whole("text/html", body.encode(), status)
            else:
                self.send_json(body, status)
        return isinstance(failure, (int, dict, tuple))

    def _note(self) -> None:
        self.script.keys.append(self.headers.get("authorization", "").removeprefix("Bearer "))

    def begin(self, content_type: str) -> bool:
        """Send the headers of an answer in pieces. Returns True if pieces are to follow."""
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = self.failure == "hang up"
        return not self.close_connection

    def write(self, data: bytes) -> None:
        """Send the next piece; an empty one is the last."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()
        if self.failure == "break off":
            self.connection.shutdown(socket.SHUT_RDWR)

    def _stream(self) -> None:
        if not self.begin("text/event-stream"):
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
        self.write(b"data: [DONE]\n\n")
        self.write(b"")

    def _chunk(self, fields: dict[str, Any]) -> None:
        self.write(b"data: " + json.dumps(fields).encode() + b"\n\n")

    def send_json(self, fields: Any, status: int = 200) -> None:
        """Send a whole answer."""
        self._send_whole("application/json", json.dumps(fields).encode(), status)

    def _send_whole(self, kind: str, body: bytes, status: int) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def events(*payloads: Any) -> tuple[str, bytes]:
    """Content type and body of a stream of server-sent events, for `ChatServer.bodies`; texts are sent
    as is."""
    lines = (
        payload.encode("utf-8", "surrogatepass")
        if isinstance(payload, str)
        else b"data: %s\n\n" % json.dumps(payload).encode()
        for payload in payloads
    )
    return "text/event-stream", b"".join(lines)


def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    """A chunk of the chat protocol."""
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
