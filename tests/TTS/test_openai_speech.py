"""Recognizers and synthesizers over servers with the OpenAI protocols, on real sockets."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken
from STT.openai_transcription import OpenAIRecognizer
from testing.contracts import RecognizerContract, SynthesizerContract, speech_like
from testing.speech_server import SpeechServer
from TTS.base import Synthesizer
from TTS.openai_speech import OpenAISynthesizer

OPENAI = "https://api.openai.com/v1"
SPEECH = speech_like(16000)


ENGINES: list[OpenAIRecognizer | OpenAISynthesizer] = []
"""The engines of the current test, to be closed."""


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with SpeechServer() as running:
        yield running
        while ENGINES:
            ENGINES.pop().close()


def recognizer(server: SpeechServer, **settings: Any) -> OpenAIRecognizer:
    engine = OpenAIRecognizer("m", base_url=server.base_url, **settings)
    ENGINES.append(engine)
    return engine


def synthesizer(server: SpeechServer, **settings: Any) -> OpenAISynthesizer:
    engine = OpenAISynthesizer("m", base_url=server.base_url, **settings)
    ENGINES.append(engine)
    return engine


def heard(server: SpeechServer) -> object:
    """Call a recognizer; for tests of both kinds."""
    return hear(recognizer(server))


def spoken(server: SpeechServer) -> object:
    """Call a synthesizer; for tests of both kinds."""
    return len(speak(synthesizer(server)))


def hear(engine: OpenAIRecognizer, cancel: CancelToken | None = None) -> str:
    return engine.transcribe(SPEECH, None, cancel or CancelToken()).text


def speak(engine: OpenAISynthesizer, text: str = "Hello.", cancel: CancelToken | None = None) -> Samples:
    chunks = engine.synthesize(text, None, None, cancel or CancelToken())
    return np.concatenate([np.empty(0, np.float32), *(chunk.samples for chunk in chunks)])


class TestRecognizer(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[OpenAIRecognizer]:
        with SpeechServer() as server:
            engine = OpenAIRecognizer(base_url=server.base_url)
            yield engine
            engine.close()

    @pytest.fixture
    def spoken(self) -> Samples:
        return SPEECH


class TestSynthesizer(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[OpenAISynthesizer]:
        with SpeechServer() as server:
            engine = OpenAISynthesizer(base_url=server.base_url)
            yield engine
            engine.close()

    @pytest.fixture(autouse=True)
    def key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "k")

    def test_a_voice_that_it_has_not_is_told(self, engine: Synthesizer) -> None:
        """OpenAI's own voices are known; with other servers only an empty name is refused."""
        with pytest.raises(EngineError, match=r"expected .*, got") as caught:
            engine.expect_voice("")
        assert caught.value.code == "unknown_voice"
        super().test_a_voice_that_it_has_not_is_told(OpenAISynthesizer("m", base_url=OPENAI))


def test_the_server_hears_the_audio_and_is_told_the_language(server: SpeechServer) -> None:
    got: list[tuple[Samples, int]] = []
    server.hear = lambda samples, rate_hz: got.append((samples, rate_hz)) or " Hello. "  # type: ignore[func-returns-value]
    engine = recognizer(server, language="de")
    heard = engine.transcribe(SPEECH, "fr", CancelToken())
    assert (heard.text, heard.language) == ("Hello.", "fr")
    assert engine.transcribe(SPEECH, None, CancelToken()).language == "de"
    request = server.requests[0]
    assert (request["model"], request["language"]) == ("m", "fr")
    ((samples, rate_hz), _) = got
    assert rate_hz == 16000
    assert np.abs(samples - SPEECH).max() < 1 / 16000


def test_a_language_that_was_detected_is_detected_anew(server: SpeechServer) -> None:
    engine = recognizer(server)
    server.language = "german"
    assert engine.transcribe(SPEECH, "fr-auto", CancelToken()).language == "de-auto"
    assert "language" not in server.requests[0]


@pytest.mark.parametrize(
    ("said", "code"),
    [("english", "en-auto"), ("fr", "fr-auto"), ("haitian creole", "ht-auto"), ("", None), ("?!", None)],
)
def test_the_language_that_was_detected(server: SpeechServer, said: str, code: str | None) -> None:
    server.language = said
    engine = recognizer(server)
    assert engine.transcribe(SPEECH, None, CancelToken()).language == code


def test_a_model_without_verbose_answers_is_asked_for_them_once(server: SpeechServer) -> None:
    server.formats = ("json",)
    engine = recognizer(server)
    for _ in range(2):
        heard = engine.transcribe(SPEECH, None, CancelToken())
        assert (heard.text, heard.language) == ("Some words.", None)
    formats = [request["response_format"] for request in server.requests]
    assert formats == ["verbose_json", "json", "json"]


def test_what_is_no_audio_for_the_model_does_not_change_what_it_is_asked_for(
    server: SpeechServer,
) -> None:
    engine = recognizer(server)
    server.failures = [400, 400, 400]
    with pytest.raises(EngineError, match=r"the recognizer at .* answered with error 400"):
        hear(engine)
    assert engine.transcribe(SPEECH, None, CancelToken()).language == "en-auto"


def test_long_audio_is_sent_in_parts(server: SpeechServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("STT.openai_transcription.MAX_AUDIO_S", 0.6)
    engine = recognizer(server)
    assert hear(engine) == "Some words. Some words."


def test_the_server_gets_text_voice_style_and_speed(server: SpeechServer) -> None:
    engine = synthesizer(server, voice="af_heart", style="Cheerful.", speed=1.5)
    list(engine.synthesize("Hello.", None, "fr", CancelToken()))
    list(engine.synthesize("Hello.", "marin", None, CancelToken()))
    assert server.requests[0] == {
        "model": "m",
        "voice": "af_heart",
        "input": "Hello.",
        "response_format": "pcm",
        "instructions": "Cheerful.",
        "speed": 1.5,
    }
    assert server.requests[1]["voice"] == "marin"


def test_audio_comes_as_it_is_made_and_whole(server: SpeechServer) -> None:
    engine = synthesizer(server)
    server.between_words.close()
    speech: list[AudioChunk] = []
    caller = threading.Thread(
        target=lambda: speech.extend(engine.synthesize("Hello.", None, None, CancelToken()))
    )
    caller.start()
    server.between_words.wait_until_reached()
    server.between_words.open()
    caller.join(60)
    audio = np.concatenate([chunk.samples for chunk in speech])
    assert len(audio) == 24000 * 6 * 60 // 1000
    spectrum = np.abs(np.fft.rfft(audio))
    assert np.argmax(spectrum) * 24000 / len(audio) == pytest.approx(440, abs=5)
    assert np.abs(audio).max() == pytest.approx(0.3, abs=0.01), "no sample was cut in two"


def test_a_text_that_is_too_long_for_the_server_is_sent_in_parts(server: SpeechServer) -> None:
    engine = synthesizer(server)
    speak(engine, "word " * 1000)
    assert [len(request["input"]) <= 4096 for request in server.requests] == [True, True]


@pytest.mark.parametrize("failure", [429, 500, "hang up"])
@pytest.mark.parametrize("use", [heard, spoken])
def test_what_fails_before_the_first_output_is_repeated(
    server: SpeechServer, failure: int | str, use: Callable[[SpeechServer], object]
) -> None:
    server.failures = [failure]
    assert use(server)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("use", "failure", "sentence", "code"),
    [
        (heard, 401, "refuses the key; set OPENAI_API_KEY, or --stt_api_key_file", "unauthorized"),
        (spoken, 401, "refuses the key; set OPENAI_API_KEY, or --tts_api_key_file", "unauthorized"),
        (spoken, 404, "knows no model 'm'; choose another: --tts_model_name", "engine_failed"),
        (spoken, {}, r"http://127.0.0.1:\d+ sent text where audio was expected", "engine_failed"),
    ],
)
def test_what_will_not_change_is_told_at_once(
    server: SpeechServer,
    failure: int | dict[str, Any],
    sentence: str,
    code: str,
    use: Callable[[SpeechServer], object],
) -> None:
    server.failures = [failure]
    with pytest.raises(EngineError, match=sentence) as caught:
        use(server)
    assert caught.value.code == code
    assert len(server.requests) == 1


def test_a_server_that_dies_in_mid_sentence(server: SpeechServer) -> None:
    engine = synthesizer(server)
    server.failures = ["break off"]
    speech = engine.synthesize("A longer sentence.", None, None, CancelToken())
    assert len(next(speech).samples) > 0
    with pytest.raises(EngineError, match="broke off in mid-answer") as caught:
        list(speech)
    assert caught.value.code == "unreachable"
    assert len(server.requests) == 1, "audio already heard is not repeated"


@pytest.mark.parametrize("settings", [{"model_name": "tts-1", "style": "Cheerful."}])
def test_a_style_for_a_model_that_takes_none(server: SpeechServer, settings: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"--tts_style: expected a model that takes a style"):
        OpenAISynthesizer(base_url=server.base_url, **settings)


def test_openai_itself_wants_a_key_a_model_and_one_of_its_voices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    for engine, stage in ((OpenAIRecognizer, "stt"), (OpenAISynthesizer, "tts")):
        with pytest.raises(
            UserError, match=f"--{stage} openai: no key; set OPENAI_API_KEY or --{stage}"
        ):
            engine("m")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(UserError, match="--stt_model_name gpt-4o-mini-transcribe"):
        OpenAIRecognizer()
    with pytest.raises(UserError, match="--tts_model_name gpt-4o-mini-tts"):
        OpenAISynthesizer()
    with pytest.raises(UserError, match="--tts_voice: expected one of the voices"):
        OpenAISynthesizer("m", "af_heart")


@pytest.mark.parametrize(
    ("where", "use"),
    [
        ("before_headers", lambda s, c: hear(recognizer(s, retries=5), c)),
        ("before_headers", lambda s, c: speak(synthesizer(s, retries=5), "Hello.", c)),
        ("between_words", lambda s, c: speak(synthesizer(s, retries=5), "word " * 1000, c)),
    ],
)
def test_a_cancelled_call_returns_at_once_and_the_server_is_free(
    server: SpeechServer, where: str, use: Callable[[SpeechServer, CancelToken], object]
) -> None:
    hold, cancel = getattr(server, where), CancelToken()
    hold.close()
    caller = threading.Thread(target=lambda: use(server, cancel), daemon=True)
    caller.start()
    hold.wait_until_reached()
    cancel.cancel()
    caller.join(60)
    assert not caller.is_alive()
    assert len(server.requests) == 1, "a cancelled call is not repeated"
    hold.open()
    assert hear(recognizer(server)) == "Some words.", "and the next call works"
