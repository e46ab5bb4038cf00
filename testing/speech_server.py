"""SpeechServer: a small, scripted server with the OpenAI speech protocols."""

import email
import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from pipeline.audio import to_pcm16
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.chat_server import ChatHandler, ChatServer

RATE_HZ = 24000
BLOCK_BYTES = 4801
"""An odd number, so that blocks end in the middle of a sample, as on a network."""

Hear = Callable[[Samples, int], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as a different kind of server sends it."""

    body: bytes
    content_type: str = ""
    status: int = 200


class SpeechServer(ChatServer):
    """Transcribes with `hear`, a function of samples and their rate; speaks a tone of 60 ms for each
    character. `formats` are the response formats of a transcription that it supports; "verbose_json"
    reports `language`. `failures`, `before_headers` and `between_words` are as in a `ChatServer`."""

    def __init__(self, hear: Hear = lambda samples, rate_hz: "Some words.") -> None:
        self.hear = hear
        self.language = "english"
        self.breaks_down = False
        """Make a response fail after its first word."""
        self.formats: tuple[str, ...] = ("json", "verbose_json")
        self.sound: Answer | None = None
        """Sent instead of the tone."""
        self.transcripts: dict[str | None, Answer] = {}
        """Sent instead of a transcript, by response format; None for requests that name no format."""
        super().__init__()

    @property
    def handler(self) -> type[ChatHandler]:
        """The class that handles requests."""
        return SpeechHandler


class SpeechHandler(ChatHandler):
    """Answers one client of a `SpeechServer`."""

    script: SpeechServer

    def read(self, body: bytes) -> dict[str, Any]:
        """Parse fields in JSON, or of a form with a file."""
        kind = self.headers["content-type"]
        if not kind.startswith("multipart/form-data"):
            return super().read(body)
        form = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        fields: dict[str, Any] = {}
        for part in form.walk():
            if not part.is_multipart():
                value: Any = part.get_payload(decode=True)
                name = str(part.get_param("name", header="content-disposition"))
                fields[name] = value if part.get_filename() else value.decode()
        return fields

    def answer(self, request: dict[str, Any]) -> None:
        """Transcribe, speak, or answer a chat."""
        if self.path.endswith("/audio/transcriptions"):
            self._transcribe(request)
        elif self.path.endswith("/audio/speech"):
            self._speak(request)
        elif self.path.endswith("/responses"):
            self._respond(request)
        else:
            super().answer(request)

    def _respond(self, request: dict[str, Any]) -> None:
        text = {"type": "output_text", "text": self.script.reply, "annotations": []}
        output: list[dict[str, Any]] = [
            {"type": "message", "id": "msg_1", "role": "assistant", "content": [text]}
        ]
        if self.script.call is not None:
            name, arguments = self.script.call
            call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name}
            output.append({**call, "arguments": arguments})
        if not request.get("stream"):
            self.send_json({"id": "resp_1", "object": "response", "output": output})
            return
        if not self.begin("text/event-stream"):
            return
        for event in self._events(output):
            self.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.write(b"")

    def _events(self, output: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        yield {"type": "response.created", "response": {"id": "resp_1"}}
        for count, word in enumerate(self.script.reply.split(" ")):
            self.script.between_words.pass_through(CancelToken())
            delta = word if count == 0 else f" {word}"
            yield {"type": "response.output_text.delta", "output_index": 0, "delta": delta}
            if self.script.breaks_down:
                error = {"code": "server_error", "message": "A secret."}
                yield {"type": "response.failed", "response": {"error": error}}
                return
        for index, item in enumerate(output[1:], 1):
            begun = {**item, "arguments": ""}
            yield {"type": "response.output_item.added", "output_index": index, "item": begun}
            half = len(item["arguments"]) // 2
            for piece in (item["arguments"][:half], item["arguments"][half:]):
                yield {
                    "type": "response.function_call_arguments.delta",
                    "output_index": index,
                    "delta": piece,
                }
        yield {"type": "response.completed", "response": {"id": "resp_1"}}

    def _transcribe(self, request: dict[str, Any]) -> None:
        response_format = request.get("response_format")
        if response_format in self.script.transcripts:
            self._send(self.script.transcripts[response_format])
            return
        if response_format not in (*self.script.formats, None):
            self.send_json({"error": {"message": "unsupported response_format"}}, 400)
            return
        if self.failure == "hang up":
            self.close_connection = True
            return
        samples, rate_hz = soundfile.read(io.BytesIO(request["file"]), dtype="float32")
        answer = {"text": self.script.hear(samples, rate_hz)}
        if response_format == "verbose_json":
            answer["language"] = request.get("language", self.script.language)
        self.send_json(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.content_type:
            self.send_header("content-type", answer.content_type)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _speak(self, request: dict[str, Any]) -> None:
        sound = self.script.sound or Answer(tone(60 * len(request["input"])), "audio/pcm")
        if not self.begin(sound.content_type):
            return
        for block in _blocks(sound.body):
            self.script.between_words.pass_through(CancelToken())
            self.write(block)
        self.write(b"")


def tone(ms: int, hz: float = 440.0) -> bytes:
    """Synthesize a sine tone as int16."""
    time_s = np.arange(RATE_HZ * ms // 1000) / RATE_HZ
    return to_pcm16((0.3 * np.sin(2 * math.pi * hz * time_s)).astype(np.float32))


def _blocks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), BLOCK_BYTES):
        yield data[start : start + BLOCK_BYTES]
