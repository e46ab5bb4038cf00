"""A server with the real recognizer and a real voice, and OpenAI's client."""

from collections.abc import Iterator

import openai
import pytest

from arguments_classes.websocket_arguments import WebSocketArguments
from connections.web.server import WebSocketServer
from engines.engines import Cascade, Engines
from LLM.eliza import ElizaModel
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from STT.moonshine import MoonshineRecognizer
from testing.server import ScriptedConnection
from TTS.espeak import EspeakSynthesizer
from VAD.silero import SileroDetector


class RealServer(ScriptedConnection[WebSocketServer]):
    """Moonshine, Eliza and eSpeak behind the web server."""

    def __init__(self) -> None:
        super().__init__(lambda stop: WebSocketServer(WebSocketArguments(port=0), stop))
        self.port = self._server.port
        self._engines = Engines(
            SileroDetector(),
            EndpointerSettings(),
            Cascade(
                SharedEngine(MoonshineRecognizer()),
                SharedEngine(ElizaModel()),
                SharedEngine(EspeakSynthesizer()),
            ),
        )


@pytest.fixture(scope="package")
def real_server() -> Iterator[RealServer]:
    with RealServer() as server:
        yield server


@pytest.fixture(scope="package")
def client(real_server: RealServer) -> Iterator[openai.OpenAI]:
    with client_of(real_server.port) as client:
        yield client


def client_of(port: int, key: str = "any") -> openai.OpenAI:
    """OpenAI's client for a server of this program; it does not repeat what fails."""
    return openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0)
