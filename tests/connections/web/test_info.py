"""`GET /v1/info`: what the page tells a newcomer about the program."""

import json
import socket
from typing import Any

import httpx2
import pytest

from arguments_classes.websocket_arguments import WebSocketArguments
from catalog.registry import specs
from connections.web.server import WebSocketServer
from engines.describing import describe
from engines.engines import Cascade, Engines
from LLM.eliza import ElizaModel
from LLM.openai_chat import OpenAIChatModel
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from S2S.tone import ToneResponder
from STT.moonshine import MoonshineRecognizer
from testing.server import ScriptedConnection, ScriptedWebServer
from TTS.espeak import EspeakSynthesizer
from VAD.silero import SileroDetector

FIELDS = {
    "program", "private", "parts", "voices", "voice", "languages", "turn_taking", "offers", "may_change",
}  # fmt: skip
PROXY: dict[str, Any] = {"forwarded_allow_ips": "127.0.0.1", "token": "right"}


def get(port: int, **headers: str) -> httpx2.Response:
    return httpx2.get(f"http://127.0.0.1:{port}/v1/info", headers=headers, trust_env=False, timeout=60)


@pytest.fixture(scope="module")
def info() -> Any:
    """The information about a server with real engines."""

    class Server(ScriptedConnection[WebSocketServer]):
        def __init__(self) -> None:
            super().__init__(lambda stop: WebSocketServer(WebSocketArguments(port=0), stop))
            self._engines = Engines(
                SileroDetector(),
                EndpointerSettings(),
                Cascade(
                    SharedEngine(MoonshineRecognizer()),
                    SharedEngine(ElizaModel()),
                    SharedEngine(EspeakSynthesizer(language="te")),
                ),
            )

    with Server() as server:
        yield get(server._server.port).json()


def test_each_part_has_a_name_a_line_and_what_it_knows(info: Any) -> None:
    assert set(info) == FIELDS
    assert info["program"]["name"] == "s2s-pipeline"
    ears, mind, voice = (part for part in info["parts"] if part["stage"] != "vad")
    assert ears == {
        "stage": "stt",
        "name": "moonshine",
        "title": "Moonshine tiny-en",
        "about": "small and fast; English built in",
        "model": "tiny-en",
        "languages": ["en"],
        "placeholder": False,
        "host": None,
        "device": "cpu",
    }
    assert (mind["name"], mind["languages"], mind["placeholder"]) == ("eliza", ["en"], True)
    assert voice["placeholder"]
    assert "te" in voice["languages"]
    assert info["private"]


def test_voices_and_languages_have_names(info: Any) -> None:
    telugu = {"name": "te", "language": "te", "language_name": "Telugu"}
    assert telugu in info["voices"]
    assert info["voice"] == "te"
    assert {"name": "en-gb", "language": "en", "language_name": "English"} in info["voices"]
    assert info["languages"] == [{"code": "en", "name": "English"}], "the only one that is heard"


def test_how_conversations_go(info: Any) -> None:
    assert info["turn_taking"] == {"takes_turns": False, "takes_text": True, "patience": "normal"}
    assert info["offers"] == []
    assert info["may_change"] is True


def test_another_machine_is_named_without_key_or_path() -> None:
    model = OpenAIChatModel("gpt-5", "https://models.example.org:8443/secret/v1", key="sk-secret")
    parts = {
        "vad": SileroDetector(),
        "stt": MoonshineRecognizer(),
        "llm": model,
        "tts": EspeakSynthesizer(),
    }
    described = describe(parts, {})
    assert [part.host for part in described.parts] == [None, None, "models.example.org", None]
    assert not described.private
    assert "secret" not in repr(described)


def test_a_server_on_this_machine_is_private() -> None:
    model = OpenAIChatModel("llama3.2", "http://127.0.0.1:11434/v1", key="none")
    assert describe({"llm": model, "tts": EspeakSynthesizer(), "stt": MoonshineRecognizer()}, {}).private


def test_a_model_that_takes_speech() -> None:
    described = describe({"vad": SileroDetector(), "s2s": ToneResponder()}, {})
    assert [part.stage for part in described.parts] == ["vad", "s2s"]
    assert {"en", "te", "zh"} <= set(described.languages)
    assert described.voices == ()


class TestWhoMayChange:
    def test_with_a_token_only_one_who_has_it(self) -> None:
        with ScriptedWebServer(**PROXY) as server:
            assert get(server.port).status_code == 401
            wrong = get(server.port, Authorization="Bearer wrong")
            assert wrong.json()["error"]["code"] == "unauthorized"
            right = get(server.port, Authorization="Bearer right")
            assert right.json()["may_change"] is True
            made = httpx2.post(
                f"http://127.0.0.1:{server.port}/v1/realtime/client_secrets",
                headers={"Authorization": "Bearer right"},
                json={},
                trust_env=False,
                timeout=60,
            )
            secret = made.json()["value"]
            assert get(server.port, Authorization=f"Bearer {secret}").json()["may_change"] is False

    def test_without_a_token_only_this_machine(self) -> None:
        with ScriptedWebServer(forwarded_allow_ips="127.0.0.1") as server:
            assert get(server.port).json()["may_change"] is True
            afar = get(server.port, **{"X-Forwarded-For": "203.0.113.9"})
            assert afar.json()["may_change"] is False

    def test_a_proxy_on_this_machine_is_somebody_else(self) -> None:
        with ScriptedWebServer() as server:
            proxied = get(server.port, **{"X-Forwarded-For": "203.0.113.9"})
            assert proxied.json()["may_change"] is False
            with socket.create_connection(("127.0.0.1", server.port), 10) as nginx:
                nginx.sendall(b"GET /v1/info HTTP/1.0\r\nHost: localhost\r\n\r\n")
                proxied_by_nginx = nginx.makefile("rb").read()
            assert json.loads(proxied_by_nginx.partition(b"\r\n\r\n")[2])["may_change"] is False


def test_placeholders_are_marked_in_the_catalog() -> None:
    marked = {
        spec.name for stage in ("stt", "llm", "tts", "s2s") for spec in specs(stage) if spec.placeholder
    }
    assert marked == {"smollm2", "eliza", "espeak", "tone", "pocketsphinx"}
