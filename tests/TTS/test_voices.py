"""The voices that may be chosen, and the errors for others."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from subprocess import PIPE

import pytest

from catalog.people import people_of
from engines.engines import Engines, Responder
from pipeline.errors import EngineError
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from S2S.tone import ToneResponder
from testing.fakes import LoudnessDetector
from testing.server import ScriptedWebServer
from tests.command import command
from tests.web_client import WebClient
from TTS.espeak import EspeakSynthesizer
from utils.voices import unknown_voice


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


def listed(port: int, token: str = "") -> list[str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/voices", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        voices: list[str] = json.load(answer)["voices"]
    return voices


class TestSentences:
    def test_of_few_voices_all_are_named(self) -> None:
        error = unknown_voice(("anna", "ben"), "carl")
        assert str(error) == "expected one of the voices anna, ben, got 'carl'"

    def test_of_many_the_usual_one_those_that_look_alike_and_the_first(self) -> None:
        voices = ["en-us", *(f"voice {number:02}" for number in reversed(range(100))), "en-gb"]
        text = str(unknown_voice(voices, "en-gv", "voice 50"))
        assert text == (
            "expected one of the voices voice 50, en-gb, en-us, voice 00, voice 01, voice 02, voice 03, "
            "voice 04 and 94 others, got 'en-gv'"
        )

    def test_of_one_none(self) -> None:
        text = str(unknown_voice((), "x" * 60_000))
        assert text.startswith("expected no voice to be chosen, as there is only one, got 'xxx")
        assert len(text) < 200


class TestEspeak:
    def test_every_voice_that_it_states_speaks(self) -> None:
        engine = EspeakSynthesizer()
        assert len(engine.info.voices) > 100
        for voice in engine.info.voices:
            engine.expect_voice(voice)
            (chunk,) = engine.synthesize("Hello 12.", voice, None, CancelToken())
            assert len(chunk.samples) > engine.info.sample_rate_hz / 4, voice

    @pytest.mark.parametrize("voice", ["en", "en-gb+f3", "hi+whisper"])
    def test_names_that_are_not_offered(self, voice: str) -> None:
        EspeakSynthesizer().expect_voice(voice)

    @pytest.mark.parametrize("voice", ["nobody", "en-gb+nobody", "+f3", "gmw/en"])
    def test_others(self, voice: str) -> None:
        with pytest.raises(EngineError, match=r"expected one of the voices .* others, got ") as caught:
            EspeakSynthesizer().expect_voice(voice)
        assert voice in str(caught.value)


def test_an_engine_that_answers_speech_has_but_one() -> None:
    engines = Engines(LoudnessDetector(), EndpointerSettings(), Responder(SharedEngine(ToneResponder())))
    assert engines.capabilities.voices == ()
    with pytest.raises(EngineError, match="expected no voice to be chosen"):
        engines.capabilities.expect_voice("low")


class TestOverTheWebSocket:
    def test_one_that_is_unknown_is_told_at_once_and_changes_nothing(
        self, server: ScriptedWebServer
    ) -> None:
        with WebClient(server.port) as client:
            client.send("settings", voice="high", language="te")
            client.send("settings", voice="nobody", language="hi")
            error = client.until("error")
            assert error["code"] == "unknown_voice"
            assert error["text"] == "expected one of the voices low, high, got 'nobody'"
            settings = server.sessions[0].settings
            assert (settings.voice, settings.language) == ("high", "te")
            client.ask()
            client.send("settings", voice=None)
            client.send("settings", voice=3)
            assert client.until("error")["code"] == "bad_message"
            assert server.sessions[0].settings.voice is None

    def test_they_are_listed_for_those_who_may_come_in(self, server: ScriptedWebServer) -> None:
        assert listed(server.port) == ["low", "high"]
        with ScriptedWebServer(token="sesame") as guarded:
            assert listed(guarded.port, "sesame") == ["low", "high"]
            assert listed(guarded.port, guarded._server._credentials.secrets.issue({}, 60)[0])
            with pytest.raises(urllib.error.HTTPError, match="401") as caught:
                listed(guarded.port)
            caught.value.close()


def test_the_command_lists_those_of_its_synthesizer() -> None:
    argv = command("--mode", "websocket", "--port", "0", "--llm", "eliza", "--tts", "espeak")
    with subprocess.Popen(argv, stdout=PIPE, stderr=PIPE, text=True) as server:
        assert server.stderr is not None
        opened = next(line for line in server.stderr if "in a browser" in line)
        port = int(opened.split(":")[2].split("/")[0])
        assert tuple(listed(port)) == (*people_of("espeak"), *EspeakSynthesizer().info.voices)
        with WebClient(port) as client:
            client.send("settings", voice="nobody")
            assert "and 129 others, got 'nobody'" in client.until("error")["text"]
        server.terminate()
        server.communicate(timeout=60)
