"""`POST /v1/audio/speech`, by OpenAI's client and by a client that errs."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import numpy as np
import openai
import pytest
import soundfile

from connections.openai_audio import call_places
from connections.openai_audio.reading import Reading
from pipeline.audio import from_pcm16
from pipeline.errors import EngineError
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from S2S.tone import ToneResponder
from testing.fakes import ScriptedSynthesizer
from testing.server import ScriptedWebServer
from tests.connections.openai_audio.conftest import RealServer, client_of
from tests.socket_clients import wait_for
from tests.speech import share_heard
from tests.web_client import WebClient
from TTS.base import Synthesizer

TEXT = "I would like a cup of coffee, please. Thank you very much. How are you today?"
"""Words that the recognizer hears from eSpeak in every format, 0.9 to 1.0 of them."""
RATE_HZ = 24000


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


def post(port: int, body: Any, **headers: str) -> httpx2.Response:
    return httpx2.post(
        f"http://127.0.0.1:{port}/v1/audio/speech",
        content=body if isinstance(body, bytes) else json.dumps(body),
        headers=headers,
        trust_env=False,
        timeout=60,
    )


@pytest.mark.parametrize("text", ["and so on " * 400, "x" * 4000])
def test_a_text_without_an_end_is_cut_so_that_conversations_can_go_first(text: str) -> None:
    synthesizer = ScriptedSynthesizer()
    shared: SharedEngine[Synthesizer] = SharedEngine(synthesizer)
    for _ in Reading(text, None, None, shared, None).audio(CancelToken()):
        pass
    assert "".join(synthesizer.spoken).replace(" ", "") == text.replace(" ", "")
    assert max(map(len, synthesizer.spoken)) <= 600


class TestWithRealVoice:
    @pytest.mark.parametrize("sound_format", ["mp3", "opus", "flac", "wav"])
    def test_every_format_says_the_words(self, client: openai.OpenAI, sound_format: Any) -> None:
        made = client.audio.speech.create(
            model="tts-1", voice="alloy", input=TEXT, response_format=sound_format
        )
        samples, rate_hz = soundfile.read(io.BytesIO(made.content))
        assert rate_hz == RATE_HZ
        assert 3 < len(samples) / rate_hz < 6
        heard = client.audio.transcriptions.create(
            model="whisper-1", file=(f"speech.{sound_format}", made.content)
        )
        assert share_heard(TEXT, heard.text) > 0.6

    def test_pcm_comes_sentence_by_sentence(self, client: openai.OpenAI) -> None:
        with client.audio.speech.with_streaming_response.create(
            model="espeak", voice="en-gb", input=TEXT * 20, response_format="pcm"
        ) as response:
            blocks = list(response.iter_bytes())
        assert len(blocks) > 20
        samples = from_pcm16(b"".join(blocks))
        assert len(samples) / RATE_HZ > 60
        assert np.abs(samples).max() > 0.1

    def test_server_sent_events(self, real_server: RealServer) -> None:
        wish = {"model": "tts-1", "input": TEXT, "stream_format": "sse", "response_format": "pcm"}
        answer = post(real_server.port, wish)
        assert answer.headers["content-type"].startswith("text/event-stream")
        *deltas, done = (json.loads(line[6:]) for line in answer.text.split("\n\n") if line)
        assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
        sound = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
        assert 3 < len(sound) / 2 / RATE_HZ < 6
        assert done == {"type": "speech.audio.done"}

    def test_a_voice_and_a_language_of_the_engine(self, client: openai.OpenAI) -> None:
        def length(**fields: Any) -> int:
            made = client.audio.speech.create(
                model="tts-1", input="నమస్కారం", response_format="pcm", **fields
            )
            return len(made.content)

        telugu, spelled = length(voice="te"), length(voice="en-us")
        assert abs(spelled - telugu) > 10_000
        told = length(voice="alloy", extra_body={"language": "te"})
        assert told == pytest.approx(telugu, abs=1000)

    def test_what_open_webui_sends(self, real_server: RealServer) -> None:
        base = f"http://127.0.0.1:{real_server.port}/v1"
        made = post(real_server.port, {"model": "tts-1", "input": TEXT, "voice": "alloy"})
        assert made.headers["content-type"] == "audio/mpeg"
        voices = httpx2.get(f"{base}/audio/voices", trust_env=False, timeout=60).json()["voices"]
        assert {"id": "te", "name": "te"} in voices
        models = httpx2.get(f"{base}/audio/models", trust_env=False, timeout=60).json()["models"]
        assert {"id": "espeak"} in models


class TestModels:
    def test_the_engines_are_the_models(self, client: openai.OpenAI) -> None:
        assert [model.id for model in client.models.list()] == ["moonshine", "espeak"]
        assert client.models.retrieve("espeak").owned_by == "s2s-pipeline"
        with pytest.raises(openai.NotFoundError, match="moonshine or espeak"):
            client.models.retrieve("gpt-5")

    def test_a_model_that_speaks_itself(self) -> None:
        with ScriptedWebServer(s2s=ToneResponder()) as server:
            client = client_of(server.port)
            assert list(client.models.list()) == []
            with pytest.raises(openai.NotFoundError, match="its model speaks itself"):
                client.audio.speech.create(model="tts-1", voice="alloy", input="Hello.")
            with pytest.raises(openai.NotFoundError, match="hears the user itself"):
                client.audio.transcriptions.create(model="whisper-1", file=("x.wav", b"x"))


GOOD = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}


@pytest.mark.parametrize(
    ("body", "status", "param", "said"),
    [
        (b"not JSON", 400, "body", "JSON"),
        (b"[1]", 400, "body", "object"),
        ({"input": "Hello."}, 400, "model", "expected a value, got none"),
        ({"model": "tts-1"}, 400, "input", "expected a value, got none"),
        ({**GOOD, "input": ""}, 400, "input", "1 character"),
        ({**GOOD, "input": "a" * 4097}, 400, "input", "4096"),
        ({**GOOD, "input": 5}, 400, "input", "expected a text, got a number"),
        ({**GOOD, "input": "\u2603 \U0001f600"}, 400, "input", "words that scripted-tts can read"),
        ({**GOOD, "input": "```\nx = 1\n```"}, 400, "input", "words that scripted-tts can read"),
        ({**GOOD, "voice": "nobody"}, 400, "voice", "nobody"),
        ({**GOOD, "voice": {"id": "nobody"}}, 400, "voice", "nobody"),
        ({**GOOD, "voice": {"name": "alloy"}}, 400, "voice", "expected a text"),
        ({**GOOD, "model": "kokoro"}, 404, "model", "scripted-tts"),
        ({**GOOD, "response_format": "aac"}, 400, "response_format", "mp3, opus, flac, wav"),
        ({**GOOD, "speed": 1.5}, 400, "speed", "fixed pace"),
        ({**GOOD, "language": "Klingon"}, 400, "language", "does not speak"),
        ({**GOOD, "stream_format": "ndjson"}, 400, "stream_format", "audio or sse"),
        ({**GOOD, "pitch": 2}, 400, "pitch", "unknown"),
        (b'{"model": "tts-1", "input": "' + b"a" * (1 << 17) + b'"}', 413, None, "bytes"),
    ],
)
def test_bad_input_is_explained(
    server: ScriptedWebServer, body: Any, status: int, param: str | None, said: str
) -> None:
    answer = post(server.port, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param), error
    assert said in error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("voice", ["alloy", "ash", "echo", "fable", "marin", "nova", "onyx", "shimmer"])
def test_the_voices_of_openai_stand_for_the_usual_one(server: ScriptedWebServer, voice: str) -> None:
    assert post(server.port, {**GOOD, "voice": voice}).status_code == 200


@pytest.mark.parametrize("language", ["en", "EN", "en-US"])
def test_a_language_may_have_a_region(server: ScriptedWebServer, language: str) -> None:
    server.tts.info = replace(server.tts.info, languages=("en",))
    assert post(server.port, {**GOOD, "language": language}).status_code == 200


def test_null_and_extreme_values_are_accepted(server: ScriptedWebServer) -> None:
    wish = {
        **GOOD,
        "speed": None,
        "instructions": "Whisper.",
        "response_format": "pcm",
        "language": None,
    }
    assert post(server.port, wish).status_code == 200
    assert post(server.port, {**GOOD, "input": "half \ud83d of an emoji"}).status_code == 200


class TestFaults:
    def test_an_engine_that_fails(self, server: ScriptedWebServer) -> None:
        server.tts.error_at_text = "Hello.", EngineError("the voice is hoarse")
        with pytest.raises(openai.InternalServerError, match="the voice is hoarse"):
            client_of(server.port).audio.speech.create(model="tts-1", voice="alloy", input="Hello.")
        server.tts.error_at_text = "Hello.", ZeroDivisionError("secret words")
        answer = post(server.port, GOOD)
        assert answer.status_code == 500
        assert "secret" not in answer.text

    def test_an_engine_that_fails_after_the_first_audio(self, server: ScriptedWebServer) -> None:
        server.tts.error_at_text = "Second sentence.", EngineError("the voice is hoarse")
        wish = {**GOOD, "input": "First sentence. Second sentence.", "response_format": "pcm"}
        with pytest.raises(httpx2.RemoteProtocolError):
            post(server.port, wish)
        events = post(server.port, {**wish, "stream_format": "sse"}).text
        assert "speech.audio.delta" in events
        assert "speech.audio.done" not in events
        last = json.loads(events.strip().split("\n\n")[-1].removeprefix("data: "))
        assert last["error"]["message"] == "the voice is hoarse"

    def test_a_stream_that_breaks_off_is_one_line_in_the_log(
        self, server: ScriptedWebServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.tts.error_at_text = "Second sentence.", EngineError("the voice is hoarse")
        wish = {**GOOD, "input": "First sentence. Second sentence.", "response_format": "pcm"}
        with pytest.raises(httpx2.RemoteProtocolError):
            post(server.port, wish)
        assert post(server.port, GOOD).status_code == 200, "its place is free again"
        [record] = caplog.records
        assert record.getMessage() == "a response broke off: the voice is hoarse"
        assert record.exc_info is None

    def test_a_client_that_leaves_cancels_its_call(self, server: ScriptedWebServer) -> None:
        server.tts.hold.close()
        with (
            httpx2.Client(trust_env=False, timeout=0.3) as client,
            pytest.raises(httpx2.TimeoutException),
        ):
            client.post(f"http://127.0.0.1:{server.port}/v1/audio/speech", json=GOOD)
        shared = server._engines.voice.tts  # type: ignore[union-attr]
        wait_for(lambda: shared.idle_slots == 4, "the slot to be free")
        server.tts.hold.open()
        assert post(server.port, GOOD).status_code == 200

    def test_an_address_may_make_so_many_calls(self) -> None:
        flags: dict[str, Any] = {"forwarded_allow_ips": "127.0.0.1", "max_sessions_per_client": 1}
        with ScriptedWebServer(**flags) as server:
            server.tts.hold.close()
            afar = {"X-Forwarded-For": "203.0.113.9"}
            with httpx2.Client(trust_env=False, timeout=60) as client:
                waiting = client.build_request(
                    "POST", f"http://127.0.0.1:{server.port}/v1/audio/speech", json=GOOD, headers=afar
                )
                answers: list[httpx2.Response] = []
                thread = threading.Thread(target=lambda: answers.append(client.send(waiting)))
                thread.start()
                server.tts.hold.wait_until_reached()
                refused = post(server.port, GOOD, **afar)
                assert refused.status_code == 503
                assert "at most 1 calls at once" in refused.json()["error"]["message"]
                server.tts.hold.open()
                thread.join(60)
            assert answers[0].status_code == 200
            assert post(server.port, GOOD, **afar).status_code == 200, "its place is free again"

    def test_no_more_calls_at_once_than_cores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(call_places, "cores", lambda: 3)
        with ScriptedWebServer() as server:
            server.tts.hold.close()
            callers = [threading.Thread(target=post, args=(server.port, GOOD)) for _ in range(3)]
            for caller in callers:
                caller.start()
            shared = server._engines.voice.tts  # type: ignore[union-attr]
            wait_for(lambda: shared.idle_slots == 1, "three calls to run")
            refused = post(server.port, GOOD)
            server.tts.hold.open()
            for caller in callers:
                caller.join(60)
            assert refused.status_code == 503
            assert "3 calls are running" in refused.json()["error"]["message"]
            assert post(server.port, GOOD).status_code == 200, "their places are free again"

    def test_a_token_is_needed(self) -> None:
        with ScriptedWebServer(token="right") as server:
            for path in ("models", "models/x", "audio/voices", "audio/models"):
                address = f"http://127.0.0.1:{server.port}/v1/{path}"
                assert httpx2.get(address, trust_env=False, timeout=60).status_code == 401
            assert post(server.port, GOOD).status_code == 401
            with pytest.raises(openai.AuthenticationError, match="that token is wrong"):
                client_of(server.port, "wrong").audio.transcriptions.create(
                    model="whisper-1", file=("x.wav", b"x")
                )
            made = client_of(server.port, "right").audio.speech.create(
                model="tts-1", voice="alloy", input="Hello."
            )
            assert len(made.content) > 1000


def test_a_conversation_goes_first(server: ScriptedWebServer) -> None:
    """Two texts of twenty sentences want the only slot; the answer of a conversation is spoken after the
    sentence that is being spoken."""
    server.tts.info = replace(server.tts.info, slots=1)
    server.tts.hold.close()
    long = {**GOOD, "input": "A sentence of the text. " * 20, "response_format": "pcm"}
    readers = [threading.Thread(target=post, args=(server.port, long)) for _ in range(2)]
    for reader in readers:
        reader.start()
    server.tts.hold.wait_until_reached()
    shared = server._engines.voice.tts  # type: ignore[union-attr]
    wait_for(lambda: len(shared._line) == 1, "the other to wait")
    with WebClient(server.port) as client:
        client.until("welcome")
        client.send("respond", text="Hello?")
        wait_for(lambda: len(shared._line) == 2, "the answer to wait")
        server.tts.hold.open()
        client.until("ReplyStarted")
        for reader in readers:
            reader.join(60)
    spoken = server.tts.spoken
    assert spoken[1].startswith("One sentence."), spoken[:4]
