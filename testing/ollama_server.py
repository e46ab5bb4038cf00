"""OllamaServer: a small, scripted Ollama: lists models, pulls them piece by piece, and chats."""

import json
from typing import Any

from pipeline.turn import CancelToken
from testing.chat_server import ChatHandler, ChatServer
from testing.hold import Hold

LAYERS = {"sha256:weights": 4000, "sha256:template": 200}
"""Digest ▶ bytes of the parts of every model."""


class OllamaServer(ChatServer):
    """A `ChatServer` that answers once it has a model."""

    @property
    def handler(self) -> type[ChatHandler]:
        """The class that handles requests."""
        return _Handler

    @property
    def listed(self) -> list[str]:
        """The models that it has."""
        return self.models

    def __init__(self, *models: str) -> None:
        super().__init__()
        self.models = list(models)
        self.pulled: list[str] = []
        """Names of the models that were asked for."""
        self.between_pieces = Hold()
        self.problem: str | None = None
        """The error that it reports in the middle of a download."""
        self.breaks_off = False
        """End a download in its middle, without a word."""


class _Handler(ChatHandler):
    script: OllamaServer

    def answer(self, request: dict[str, Any]) -> None:
        """Pull a model, or chat."""
        if self.path != "/api/pull":
            super().answer(request)
            return
        self.script.pulled.append(request["model"])
        if self.begin("application/x-ndjson"):
            self._pull(request["model"])
            self.write(b"")

    def _pull(self, model: str) -> None:
        self._line({"status": "pulling manifest"})
        for digest, total in LAYERS.items():
            news = {"status": f"pulling {digest}", "digest": digest, "total": total}
            for completed in range(0, total + 1, total // 4):
                self._line({**news, "completed": completed})
                self.script.between_pieces.pass_through(CancelToken())
            if self.script.breaks_off:
                return
            if self.script.problem is not None:
                self._line({"error": self.script.problem})
                return
        self._line({"status": "verifying sha256 digest"})
        self.script.models.append(f"{model}:latest")
        self._line({"status": "success"})

    def _line(self, news: dict[str, Any]) -> None:
        self.write(json.dumps(news).encode() + b"\n")
