"""ScriptedRealtimeServer: a server of the Realtime protocol that a test controls."""

import base64
import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from pipeline.audio import to_pcm16

RATE_HZ = 24000
PATIENCE_S = 60.0
PEAK = 0.5
GREETING = json.dumps({"type": "session.created", "session": {"id": "sess_1"}})


class ScriptedConnection:
    """One client's connection: the client's events are kept, and the test answers them."""

    def __init__(self, websocket: ServerConnection) -> None:
        self.received: list[dict[str, Any]] = []
        """Events that `until` has skipped, and the ones that it has returned."""
        self._websocket = websocket
        self._reads = threading.Event()
        self._reads.set()
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def until(self, kind: str) -> dict[str, Any]:
        """Wait for the next event of this type."""
        while True:
            self.received.append(self._events.get(timeout=PATIENCE_S))
            if self.received[-1]["type"] == kind:
                return self.received[-1]

    def so_far(self) -> list[dict[str, Any]]:
        """All events received so far."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.received.append(self._events.get_nowait())
        return self.received

    def send(self, kind: str, **fields: Any) -> None:
        """Send an event."""
        self._websocket.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))

    def send_text(self, text: str) -> None:
        """Send a message unchanged."""
        self._websocket.send(text)

    def hear(self, item: str, words: str | None = "words") -> None:
        """Report that the user spoke, with the transcript."""
        self.send("input_audio_buffer.speech_started", item_id=item, audio_start_ms=100)
        self.send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=400)
        self.send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        if words is not None:
            kind = "conversation.item.input_audio_transcription.completed"
            self.send(kind, item_id=item, content_index=0, transcript=words)

    def begin(self, response: str, turn: int | None = None) -> None:
        """Begin a response, with the request's metadata for the turn if a server repeats them."""
        metadata = None if turn is None else {"turn": str(turn)}
        fields = {"id": response, "status": "in_progress", "metadata": metadata}
        self.send("response.created", response=fields)

    def say(self, response: str, ms: int, text: str = "", tone_hz: float = 440) -> None:
        """Send text and a tone as parts of a response, by OpenAI's event names since 2025."""
        place = {"response_id": response, "item_id": f"item_{response}", "content_index": 0}
        if text:
            self.send("response.output_audio_transcript.delta", delta=text, **place)
        time_s = np.arange(RATE_HZ * ms // 1000) / RATE_HZ
        pcm = to_pcm16((PEAK * np.sin(2 * np.pi * tone_hz * time_s)).astype(np.float32))
        self.send("response.output_audio.delta", delta=base64.b64encode(pcm).decode(), **place)

    def end(self, response: str, status: str = "completed", **details: Any) -> None:
        """End a response."""
        fields = {"id": response, "status": status, "status_details": {"type": status, **details}}
        self.send("response.done", response=fields)

    def stall(self) -> None:
        """Stop reading."""
        self._reads.clear()

    def go_on(self) -> None:
        """Read again."""
        self._reads.set()

    def hang_up(self, code: int = 1000) -> None:
        """Close the connection with a closing handshake."""
        self._websocket.close(code)

    def drop(self) -> None:
        """Break the connection without a closing handshake."""
        self._websocket.socket.shutdown(socket.SHUT_RDWR)

    def serve(self, begun: Callable[[Self], None]) -> None:
        """Keep the client's events until it is gone; call `begun` after the first."""
        with contextlib.suppress(ConnectionClosed):
            self._events.put(json.loads(self._websocket.recv()))
            begun(self)
            while self._reads.wait():
                self._events.put(json.loads(self._websocket.recv()))


class ScriptedRealtimeServer:
    """Accepts clients on a free port of the loopback address, until the block ends."""

    def __init__(self, port: int = 0) -> None:
        self.greeting: str | None = GREETING
        """The first message to a client; None: there is none."""
        self.status: int | None = None
        """HTTP status with which clients are refused; None: they are accepted."""
        self.requests: list[Request] = []
        self._connections: queue.SimpleQueue[ScriptedConnection] = queue.SimpleQueue()
        self._server = serve(
            self._talk, "127.0.0.1", port, process_request=self._judge, compression=None, max_size=None
        )
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        self.port: int = self._server.socket.getsockname()[1]

    @property
    def url(self) -> str:
        """The address, for `--s2s_base_url`."""
        return f"ws://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()

    def accept(self) -> ScriptedConnection:
        """Wait for the next client that sends an event, and for its settings."""
        connection = self._connections.get(timeout=PATIENCE_S)
        connection.until("session.update")
        return connection

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        return None if self.status is None else connection.respond(self.status, "no")

    def _talk(self, websocket: ServerConnection) -> None:
        if self.greeting is not None:
            websocket.send(self.greeting)
        ScriptedConnection(websocket).serve(self._connections.put)
