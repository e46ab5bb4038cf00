"""AudioChatServer: a small, scripted server whose chat answers speech with speech."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
import soundfile

from pipeline.audio import from_pcm16, to_pcm16
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.chat_server import ChatHandler, ChatServer, chunk
from testing.speech_server import RATE_HZ, tone
from utils.wav import as_wav

Dialect: TypeAlias = Literal["openai", "vllm-omni", "text only"]

MS_PER_WORD = 300
PIECES_PER_WORD = 3


class AudioChatServer(ChatServer):
    """Says `reply`, by default in a tone of 300 ms for each word; the text of each word is sent just
    before its sound. In the dialect of vLLM-Omni, all words come first, and each piece of sound is a WAV
    file. `hear` is called with the speech of each question and its sample rate. The rest is as in a
    `ChatServer`; The server waits for `between_words` before each piece of sound."""

    def __init__(self, reply: str = "Hello. How are you?", dialect: Dialect = "openai") -> None:
        self.dialect: Dialect = dialect
        self.speech: Samples | None = None
        """Sound of the answers, at 24 kHz, instead of the tone."""
        self.expires_at = 1
        """Time until which the server keeps the sound of its answers, under the ids audio_1, audio_2 and
        so on."""
        self.answered = 0
        self.hear: Callable[[Samples, int], object] = lambda samples, rate_hz: None
        super().__init__(reply)

    @property
    def handler(self) -> type[ChatHandler]:
        """The class that handles requests."""
        return AudioChatHandler


class AudioChatHandler(ChatHandler):
    """Answers one client of an `AudioChatServer`."""

    script: AudioChatServer

    def answer(self, request: dict[str, Any]) -> None:
        """Answer a chat request, with speech if the request asks for it."""
        for part in _parts(request):
            if part["type"] == "input_audio":
                sound = base64.b64decode(part["input_audio"]["data"])
                self.script.hear(*soundfile.read(io.BytesIO(sound), dtype="float32"))
        if "audio" not in request.get("modalities", ()) or self.script.dialect == "text only":
            super().answer(request)
            return
        if not request["stream"]:
            self._whole()
        elif self.begin("text/event-stream"):
            self._pieces()

    def _whole(self) -> None:
        wav = base64.b64encode(as_wav(self._sound, RATE_HZ)).decode()
        audio = {**self._kept, "data": wav, "transcript": self.script.reply}
        messages: list[dict[str, Any]] = [{"content": None, "audio": audio}]
        if self.script.dialect == "vllm-omni":
            messages = [{"content": self.script.reply}, {"audio": {**audio, "transcript": ""}}]
        choices = [
            {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
            for message in messages
        ]
        self.send_json({"choices": choices})

    def _pieces(self) -> None:
        for event in self._events():
            self.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.write(b"data: [DONE]\n\n")
        self.write(b"")

    def _events(self) -> Iterator[dict[str, Any]]:
        words, sound = self.script.reply.split(" "), self._sound
        spaced = [word if count == 0 else f" {word}" for count, word in enumerate(words)]
        pieces = np.array_split(sound, PIECES_PER_WORD * len(words))
        if self.script.dialect == "vllm-omni":
            for word in spaced:
                yield {**chunk({"content": word}), "modality": "text"}
            for piece in pieces:
                self.script.between_words.pass_through(CancelToken())
                wav = base64.b64encode(as_wav(piece, RATE_HZ)).decode()
                yield {**chunk({"content": wav}, "stop"), "modality": "audio"}
            return
        kept = self._kept
        beginning = {"id": kept["id"], "transcript": ""}
        yield chunk({"role": "assistant", "content": None, "audio": beginning})
        for count, word in enumerate(spaced):
            yield chunk({"audio": {"transcript": word}})
            for piece in pieces[PIECES_PER_WORD * count :][:PIECES_PER_WORD]:
                self.script.between_words.pass_through(CancelToken())
                data = base64.b64encode(to_pcm16(piece)).decode()
                yield chunk({"audio": {"data": data}})
        if self.script.call is not None:
            name, arguments = self.script.call
            half = len(arguments) // 2
            first = {"id": "call_1", "type": "function", "function": {"name": name}}
            first["function"]["arguments"] = arguments[:half]  # type: ignore[index]
            more = {"function": {"arguments": arguments[half:]}}
            for part in (first, more):
                yield chunk({"tool_calls": [{"index": 0, **part}]})
        yield chunk({"audio": {"expires_at": kept["expires_at"]}}, "stop")

    @property
    def _kept(self) -> dict[str, Any]:
        self.script.answered += 1
        return {"id": f"audio_{self.script.answered}", "expires_at": self.script.expires_at}

    @property
    def _sound(self) -> Samples:
        if self.script.speech is not None:
            return self.script.speech
        return from_pcm16(tone(MS_PER_WORD * len(self.script.reply.split(" "))))


def _parts(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The content parts of all messages."""
    for message in request["messages"]:
        content = message.get("content")
        yield from content if isinstance(content, list) else []
