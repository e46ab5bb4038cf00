"""`POST /v1/audio/transcriptions`, by OpenAI's client and by a client that errs."""

import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import numpy as np
import openai
import pytest
import soundfile

from pipeline.audio import resample
from pipeline.errors import EngineError
from pipeline.messages import Samples
from testing.fakes import LoudnessRecognizer
from testing.server import ScriptedWebServer
from tests.connections.openai_audio.conftest import RealServer, client_of
from tests.socket_clients import wait_for
from tests.speech import RATE_HZ, moonshine_asset, share_heard, silence

NOVEL = "it was the best of times it was the worst of times"


def wav(*parts: Samples, rate_hz: int = RATE_HZ, **options: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.concatenate(parts), rate_hz, format="WAV", **options)
    return file.getvalue()


def loud(ms: int, level: float = 0.5) -> Samples:
    return np.full(RATE_HZ * ms // 1000, level, np.float32)


@pytest.fixture(scope="module")
def speech() -> Samples:
    """A man reads four sentences of a novel, 44 s."""
    return moonshine_asset("two_cities.wav")


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


def post(
    port: int, data: bytes | None, fields: dict[str, str] | None = None, **headers: str
) -> httpx2.Response:
    return httpx2.post(
        f"http://127.0.0.1:{port}/v1/audio/transcriptions",
        files=None if data is None else {"file": ("x.wav", data)},
        data={"model": "whisper-1", **(fields or {})},
        headers=headers,
        trust_env=False,
        timeout=60,
    )


class TestDamage:
    @pytest.mark.parametrize("fields", [{}, {"response_format": "verbose_json"}, {"stream": "true"}])
    def test_what_is_missing_is_told_beside_the_words(
        self, server: ScriptedWebServer, fields: dict[str, str]
    ) -> None:
        data = wav(loud(2000), silence(2000), loud(2000))
        told = post(server.port, data[: len(data) // 2], fields).text
        told = told.strip().split("data: ")[-1] if "stream" in fields else told
        answer = json.loads(told)
        assert answer["text"] == "words"
        assert answer["warning"] == "the file is damaged or cut off: 3.0 of 6.0 s can be read"
        assert "warning" not in post(server.port, data, fields).text

    def test_a_recording_without_a_sample_is_refused(self, server: ScriptedWebServer) -> None:
        answer = post(server.port, wav(loud(1000))[:44])
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].endswith("got one without any audio")


class TestWithRealRecognizer:
    def test_a_long_recording_is_cut_at_its_pauses(self, client: openai.OpenAI, speech: Samples) -> None:
        heard = client.audio.transcriptions.create(
            model="whisper-1",
            file=("novel.wav", wav(speech)),
            response_format="verbose_json",
            timestamp_granularities=["segment"],
        )
        assert share_heard(NOVEL, heard.text) > 0.8
        assert heard.duration == pytest.approx(len(speech) / RATE_HZ, abs=0.01)
        assert heard.language == "english"
        segments = heard.segments or []
        assert len(segments) > 2
        for one, two in itertools.pairwise(segments):
            assert 0 <= one.start < one.end <= two.start + 0.3
        assert segments[-1].end <= heard.duration

    def test_it_is_streamed(self, client: openai.OpenAI, speech: Samples) -> None:
        events = list(
            client.audio.transcriptions.create(
                model="moonshine", file=("novel.wav", wav(speech)), stream=True
            )
        )
        *deltas, done = events
        assert len(deltas) > 2
        assert done.type == "transcript.text.done"
        assert "".join(event.delta for event in deltas) == done.text  # type: ignore[union-attr]

    @pytest.mark.parametrize("rate_hz", [8000, 44100, 48000])
    def test_rates_and_channels(self, real_server: RealServer, speech: Samples, rate_hz: int) -> None:
        stereo = np.stack([resample(speech[: 6 * RATE_HZ], RATE_HZ, rate_hz)] * 2, axis=1)
        file = io.BytesIO()
        soundfile.write(file, stereo, rate_hz, format="FLAC")
        heard = post(real_server.port, file.getvalue()).json()["text"]
        assert share_heard(NOVEL, heard) > 0.8

    def test_webm_of_a_browser(self, real_server: RealServer, speech: Samples) -> None:
        av: Any = pytest.importorskip("av")
        samples = (resample(speech[: 6 * RATE_HZ], RATE_HZ, 24000) * 32767).astype(np.int16)
        file = io.BytesIO()
        with av.open(file, "w", format="webm") as container:
            stream = container.add_stream("libopus", rate=24000, layout="mono")
            for begin in range(0, len(samples), 480):
                block = samples[np.newaxis, begin : begin + 480]
                frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
                frame.sample_rate = 24000
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        heard = post(real_server.port, file.getvalue()).json()["text"]
        assert share_heard(NOVEL, heard) > 0.8

    def test_silence_has_no_words(self, real_server: RealServer) -> None:
        answer = post(real_server.port, wav(silence(3000))).json()
        assert answer == {"text": "", "usage": {"type": "duration", "seconds": 3.0}}


class TestCutting:
    """With a detector and a recognizer whose words are the sound they heard."""

    @pytest.fixture
    def told(self, server: ScriptedWebServer) -> LoudnessRecognizer:
        recognizer = LoudnessRecognizer(slots=4)
        server._engines.replace("stt", recognizer)
        return recognizer

    def test_subtitles(self, server: ScriptedWebServer, told: LoudnessRecognizer) -> None:
        recording = wav(silence(1024), loud(512), silence(1024), loud(512, 0.25), silence(1024))
        srt = post(server.port, recording, {"response_format": "srt"})
        assert srt.headers["content-type"].startswith("application/x-subrip")
        first, second, rest = srt.text.split("\n\n")
        number, times, words = first.split("\n")
        assert number == "1"
        assert words.count("50") in (5, 6)
        begin, end = times.split(" --> ")
        assert "00:00:00,800" <= begin <= "00:00:01,024"
        assert "00:00:01,500" <= end <= "00:00:01,750"
        assert second.startswith("2\n00:00:02,")
        assert rest == ""
        vtt = post(server.port, recording, {"response_format": "vtt"}).text
        assert vtt.startswith("WEBVTT\n\n00:00:00.")

    def test_speech_without_a_pause_is_cut_and_nothing_is_lost(
        self, server: ScriptedWebServer, told: LoudnessRecognizer
    ) -> None:
        text = post(server.port, wav(loud(130_000)), {"response_format": "text"}).text
        assert len(told.heard) >= 7
        assert max(map(len, told.heard)) <= 20.1 * RATE_HZ
        assert text.split().count("50") == pytest.approx(1300, abs=10)

    def test_the_language_is_passed_on(
        self, server: ScriptedWebServer, told: LoudnessRecognizer
    ) -> None:
        wish = {"language": "fr", "response_format": "verbose_json"}
        assert post(server.port, wav(loud(500)), wish).json()["language"] == "french"


@pytest.mark.parametrize(
    ("data", "fields", "param", "said"),
    [
        (b"", {}, "file", "empty"),
        (b"This is a text, and no sound.", {}, "file", "WAV, FLAC, MP3"),
        (b"RIFF\x24\0\0\0WAVEfmt ", {}, "file", "damaged"),
        (b"\x1a\x45\xdf\xa3 but no WebM", {}, "file", "damaged"),
        (None, {}, "content-type", "multipart"),
        (wav(loud(100)), {"model": ""}, "model", "whisper-1"),
        (wav(loud(100)), {"response_format": "docx"}, "response_format", "json, text"),
        (wav(loud(100)), {"response_format": "diarized_json"}, "response_format", "json, text"),
        (wav(loud(100)), {"response_format": "srt", "stream": "true"}, "response_format", "stream"),
        (wav(loud(100)), {"timestamp_granularities[]": "word"}, "timestamp_granularities", "segment"),
        (wav(loud(100)), {"language": "Telugu!"}, "language", "such as te"),
        (wav(loud(100)), {"language": "te"}, "language", "does not understand Telugu"),
        (wav(loud(100)), {"include[]": "logprobs"}, "include", "log probabilities"),
        (wav(loud(100)), {"chunking_strategy": "server_vad"}, "chunking_strategy", "auto"),
        (wav(loud(100)), {"chunking_strategy[type]": "server_vad"}, "chunking_strategy", "auto"),
        (wav(loud(100)), {"colour": "red"}, "body", "colour"),
        (wav(loud(100), rate_hz=1000), {}, "file", "from 4000"),
    ],
)
def test_bad_input_is_explained(
    server: ScriptedWebServer, data: bytes | None, fields: dict[str, str], param: str, said: str
) -> None:
    answer = post(server.port, data, fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param), error
    assert said in error["message"]


@pytest.mark.parametrize("language", ["en", "EN", "en-US", "en-gb"])
def test_a_language_may_have_a_region(server: ScriptedWebServer, language: str) -> None:
    server.stt.info = replace(server.stt.info, languages=("en",))
    assert post(server.port, wav(loud(500)), {"language": language}).status_code == 200


def test_a_form_without_a_file(server: ScriptedWebServer) -> None:
    answer = httpx2.post(
        f"http://127.0.0.1:{server.port}/v1/audio/transcriptions",
        files={"model": (None, "whisper-1")},
        trust_env=False,
        timeout=60,
    )
    assert answer.json()["error"]["param"] == "file"


def test_a_model_that_is_not_here(server: ScriptedWebServer) -> None:
    answer = post(server.port, wav(loud(100)), {"model": "parakeet"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


def test_a_file_that_is_too_large(server: ScriptedWebServer) -> None:
    answer = post(server.port, b"\0" * (27 << 20))
    assert answer.status_code == 413


def test_a_recording_that_is_too_long(server: ScriptedWebServer) -> None:
    """Three hours of silence are a small file."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(3 * 3600 * 4000, np.int16), 4000, format="FLAC")
    answer = post(server.port, file.getvalue())
    assert answer.status_code == 400
    assert "2 hours" in answer.json()["error"]["message"]


def test_hints_are_accepted(server: ScriptedWebServer) -> None:
    wish = {"prompt": "A novel.", "temperature": "0.2", "chunking_strategy": "auto"}
    assert post(server.port, wav(loud(500)), wish).json()["text"] == "words"


def test_an_engine_that_fails(server: ScriptedWebServer) -> None:
    server.stt.error = EngineError("the recognizer is deaf")
    with pytest.raises(openai.InternalServerError, match="the recognizer is deaf"):
        client_of(server.port).audio.transcriptions.create(
            model="whisper-1", file=("x.wav", wav(loud(500)))
        )


def test_an_engine_that_fails_in_the_middle_of_a_stream(server: ScriptedWebServer) -> None:
    calls = iter([None, EngineError("the recognizer went deaf")])
    transcribe = server.stt.transcribe

    def failing(*arguments: Any) -> Any:
        server.stt.error = next(calls)
        return transcribe(*arguments)

    server.stt.transcribe = failing  # type: ignore[method-assign, assignment]
    recording = wav(loud(500), silence(1000), loud(500))
    events = client_of(server.port).audio.transcriptions.create(
        model="whisper-1", file=("x.wav", recording), stream=True
    )
    with pytest.raises(openai.APIError, match="the recognizer went deaf"):
        list(events)


def test_a_client_that_leaves_cancels_its_call(server: ScriptedWebServer) -> None:
    server.stt.hold.close()
    with pytest.raises(httpx2.TimeoutException):
        httpx2.post(
            f"http://127.0.0.1:{server.port}/v1/audio/transcriptions",
            files={"file": ("x.wav", wav(loud(500)))},
            data={"model": "whisper-1"},
            timeout=0.5,
            trust_env=False,
        )
    shared = server._engines.voice.stt  # type: ignore[union-attr]
    wait_for(lambda: shared.idle_slots == 4, "the slot to be free")
    server.stt.hold.open()
    assert json.loads(post(server.port, wav(loud(500))).text)["text"] == "words"
