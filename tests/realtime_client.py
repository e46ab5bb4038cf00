"""A client of the Realtime protocol, for tests: the real `openai` package on real sockets."""

import base64
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import openai
from openai.resources.realtime.realtime import RealtimeConnection

from pipeline.audio import from_pcm16, to_pcm16

RATE_HZ = 24000
PATIENCE_S = 60.0


class RealtimeClient:
    """Sends loud and quiet audio, and keeps what comes back."""

    def __init__(self, port: int, key: str = "none", model: str = "ours") -> None:
        self.events: list[Any] = []
        self._stack = contextlib.ExitStack()
        client = self._stack.enter_context(
            openai.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1")
        )
        patient: Any = {"open_timeout": PATIENCE_S}
        self.connection: RealtimeConnection = self._stack.enter_context(
            client.realtime.connect(model=model, websocket_connection_options=patient)
        )

    def __enter__(self) -> "RealtimeClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def say(self, ms: int, level: float = 0.5) -> None:
        """Send audio, in packets of 20 ms, as fast as possible."""
        packet = base64.b64encode(to_pcm16(np.full(RATE_HZ // 50, level, np.float32))).decode()
        for _ in range(ms // 20):
            self.connection.input_audio_buffer.append(audio=packet)

    def ask(self) -> None:
        """Send a question and the pause after it."""
        self.say(400)
        self.say(600, 0.0)

    def send(self, kind: str, **fields: Any) -> None:
        """Send an event unchanged."""
        self.connection.send({"type": kind, **fields})  # type: ignore[arg-type]

    def configure(self, **session: Any) -> Any:
        """Change the session, and wait for the new configuration."""
        self.send("session.update", session={"type": "realtime", **session})
        return self.until("session.updated").session

    def note(self, text: str, role: str = "user") -> str:
        """Put a message into the conversation; returns its id."""
        kind = "output_text" if role == "assistant" else "input_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        self.send("conversation.item.create", item=item)
        return str(self.until("conversation.item.done").item.id)

    def until(self, kind: str) -> Any:
        """Wait for the next event of this type."""

        def came(event: Any) -> bool:
            assert not (event.type == "error" and kind == "response.done"), event
            return bool(event.type == kind)

        return self.receive_until(came)

    def receive_until(self, found: Callable[[Any], bool]) -> Any:
        """Receive events up to the one for which `found` is true."""
        timer = threading.Timer(PATIENCE_S, self.connection.close)
        timer.start()
        try:
            while True:
                event = self.connection.recv()
                self.events.append(event)
                if found(event):
                    return event
        finally:
            timer.cancel()

    def kinds(self) -> list[str]:
        """The types of all events so far."""
        return [event.type for event in self.events]

    def of(self, kind: str) -> list[Any]:
        """All events of this type so far."""
        return [event for event in self.events if event.type == kind]

    def audio(self) -> Any:
        """The audio that was received, as float32."""
        deltas = self.of("response.output_audio.delta")
        return from_pcm16(b"".join(base64.b64decode(event.delta) for event in deltas))
