"""Servers whose chat API answers speech with speech, on real sockets."""

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import EngineError, NothingHeard, UserError
from pipeline.messages import ChatMessage, CutOff, Notice, Samples, ToolCall
from pipeline.settings import SessionSettings, Tool
from pipeline.turn import CancelToken
from S2S.base import Answer, Question, SpokenPiece
from S2S.openai_audio import MAX_SPEECH_S, VOICES, OpenAIAudioResponder
from testing.audio_chat_server import AudioChatServer
from testing.chat_server import chunk, events
from testing.contracts import SOON_S, speech_like
from testing.end_to_end_contracts import SpeechResponderContract
from testing.speech_server import RATE_HZ, tone
from utils.openai_client import OpenAIServer

OPENAI = "https://api.openai.com/v1"
SPEECH = speech_like(16000)
SOUND = base64.b64encode(tone(100)).decode()
WEATHER = Tool("weather", "The weather in a city.", {"type": "object"})
REPLY = "Hello. How are you?"


@pytest.fixture
def server() -> Iterator[AudioChatServer]:
    with AudioChatServer(REPLY) as running:
        yield running


@pytest.fixture
def engine(server: AudioChatServer) -> Iterator[OpenAIAudioResponder]:
    responder = OpenAIAudioResponder("m", base_url=server.base_url, retries=0)
    yield responder
    responder.close()


class TestContract(SpeechResponderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[OpenAIAudioResponder]:
        with AudioChatServer() as server:
            responder = OpenAIAudioResponder(base_url=server.base_url)
            yield responder
            responder.close()

    def test_a_voice_that_it_has_not_is_told(self, engine: OpenAIAudioResponder) -> None:  # type: ignore[override]
        """Override the contract: only OpenAI's voices are known here."""
        engine.expect_voice("any")
        with pytest.raises(EngineError, match="expected one of the voices"):
            engine.expect_voice("")


def ask(
    engine: OpenAIAudioResponder,
    samples: Samples = SPEECH,
    text: str = "",
    messages: tuple[ChatMessage, ...] = (),
    **settings: Any,
) -> list[Answer]:
    question = Question(samples, SessionSettings(**settings), text, messages)
    return list(engine.respond(question, CancelToken()))


def sound_of(answer: list[Answer]) -> Samples:
    pieces = [piece.audio.samples for piece in answer if isinstance(piece, SpokenPiece)]
    return np.concatenate([np.empty(0, np.float32), *pieces])


def text_of(answer: list[Answer]) -> str:
    return "".join(piece.text or "" for piece in answer if isinstance(piece, SpokenPiece))


class TestQuestion:
    def test_speech_is_sent_as_wav_after_the_conversation(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        heard: list[tuple[Samples, int]] = []
        server.hear = lambda samples, rate_hz: heard.append((samples, rate_hz))
        before = (
            ChatMessage("system", "Be brief."),
            ChatMessage("user", "(spoken)"),
            ChatMessage("assistant", "Yes?"),
        )
        ask(engine, messages=before, voice="coral")
        (request,) = server.requests
        assert request["model"] == "m"
        assert request["modalities"] == ["text", "audio"]
        assert request["audio"] == {"format": "pcm16", "voice": "coral"}
        assert [(m["role"], m["content"]) for m in request["messages"][:-1]] == [
            (message.role, message.content) for message in before
        ]
        last = request["messages"][-1]
        assert (last["role"], [part["type"] for part in last["content"]]) == ("user", ["input_audio"])
        ((samples, rate_hz),) = heard
        assert rate_hz == 16000
        assert np.abs(samples - SPEECH).max() < 1e-3

    def test_typed_words_are_sent_as_text(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        ask(engine, np.empty(0, np.float32), "Good morning.")
        (request,) = server.requests
        assert request["messages"] == [{"role": "user", "content": "Good morning."}]
        assert "voice" not in request["audio"], "the server's own"
        assert "tools" not in request

    def test_an_answer_in_text_is_not_paid_for_as_speech(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        answer = ask(engine, spoken=False)
        assert (text_of(answer), len(sound_of(answer))) == (REPLY, 0)
        assert server.requests[0]["modalities"] == ["text"]
        assert "audio" not in server.requests[0]

    def test_typed_words_are_answered_in_text_without_the_sound(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        answer = ask(engine, np.empty(0, np.float32), "Hello", spoken=False)
        assert (text_of(answer), len(sound_of(answer))) == (REPLY, 0)
        assert server.requests[0]["modalities"] == ["text", "audio"], "a model of OpenAI wants either"

    def test_more_than_it_sends_is_refused(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        hour = np.broadcast_to(np.float32(0.1), 3600 * 16000)
        with pytest.raises(EngineError, match=f"expected at most {MAX_SPEECH_S} s .* got 3600 s"):
            ask(engine, hour)
        assert not server.requests


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", ["openai", "vllm-omni"])
def test_every_dialect_is_understood(dialect: Any, stream: bool) -> None:
    with AudioChatServer(REPLY, dialect) as server:
        engine = OpenAIAudioResponder("m", base_url=server.base_url, stream=stream)
        answer = ask(engine)
        engine.close()
    assert text_of(answer) == REPLY
    expected = np.frombuffer(tone(300 * 4), "<i2") / 32768
    assert np.abs(sound_of(answer) - expected).max() < 1e-3
    rates = {piece.audio.sample_rate_hz for piece in answer if isinstance(piece, SpokenPiece)}
    assert rates == {RATE_HZ}
    if dialect == "openai" and stream:
        first = next(piece for piece in answer if isinstance(piece, SpokenPiece))
        assert len(first.audio.samples) <= 0.1 * RATE_HZ, "the sound goes on as it comes"


def test_words_that_come_twice_are_taken_once(
    engine: OpenAIAudioResponder, server: AudioChatServer
) -> None:
    both = {"content": "Hello.", "audio": {"data": SOUND, "transcript": "Hello."}}
    server.bodies.append(events(chunk(both), chunk({}, "stop"), "data: [DONE]\n\n"))
    assert text_of(ask(engine)) == "Hello."


def test_a_call_of_a_function_needs_no_sound(
    engine: OpenAIAudioResponder, server: AudioChatServer
) -> None:
    call = {"index": 0, "id": "call_7", "function": {"name": "weather", "arguments": "{}"}}
    server.bodies.append(events(chunk({"tool_calls": [call]}, "tool_calls"), "data: [DONE]\n\n"))
    assert ask(engine, tools=(WEATHER,)) == [ToolCall("call_7", "weather", "{}")]
    assert server.requests[0]["tools"][0]["function"]["name"] == "weather"


def test_words_sound_and_a_call(engine: OpenAIAudioResponder, server: AudioChatServer) -> None:
    server.call = ("weather", '{"city": "Oslo"}')
    answer = ask(engine, tools=(WEATHER,))
    calls = [piece for piece in answer if isinstance(piece, ToolCall)]
    assert text_of(answer) == REPLY
    assert "".join(call.arguments for call in calls) == '{"city": "Oslo"}'
    assert {call.id for call in calls} == {"call_1"}


def test_an_answer_that_was_cut_off_says_so(
    engine: OpenAIAudioResponder, server: AudioChatServer
) -> None:
    sound = {"audio": {"data": SOUND, "transcript": "And then"}}
    server.bodies.append(events(chunk(sound), chunk({}, "length"), "data: [DONE]\n\n"))
    assert ask(engine)[-1] == CutOff("max_output_tokens")


class TestFailures:
    def test_an_answer_without_sound(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        server.dialect = "text only"
        answer = engine.respond(Question(SPEECH, SessionSettings()), CancelToken())
        written = next(answer)
        assert isinstance(written, SpokenPiece)
        assert written.text == REPLY, "it is shown at least"
        with pytest.raises(NothingHeard, match=r"answered without sound; choose a model that speaks"):
            next(answer)

    def test_a_server_that_refuses_a_field_is_asked_without_it(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        def refuses(request: dict[str, Any]) -> tuple[int, Any] | None:
            error = {"message": "Unsupported parameter", "param": "audio"}
            return (400, {"error": error}) if "audio" in request else None

        server.refuses = refuses
        answer = ask(engine)
        assert isinstance(answer[0], Notice)
        assert "sent without audio" in answer[0].text
        assert len(sound_of(answer)) > 0

    @pytest.mark.parametrize(
        ("failure", "code", "said"),
        [
            (401, "unauthorized", "refuses the key; set OPENAI_API_KEY, or --s2s_api_key_file"),
            (404, "engine_failed", "knows no model 'm'; choose another: --s2s_model_name"),
            (429, "engine_failed", "accepts no more requests"),
            (500, "engine_failed", "the speech-to-speech model at .* answered with error 500"),
            ({"hello": "world"}, "engine_failed", "an answer that does not follow the protocol"),
            ("hang up", "unreachable", "no speech-to-speech model answers at"),
            ("break off", "unreachable", "no speech-to-speech model answers at"),
        ],
    )
    def test_a_server_that_fails(
        self, engine: OpenAIAudioResponder, server: AudioChatServer, failure: Any, code: str, said: str
    ) -> None:
        server.failures.append(failure)
        with pytest.raises(EngineError, match=said) as caught:
            ask(engine)
        assert caught.value.code == code
        assert len(sound_of(ask(engine))) > 0, "the next call is served"

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ("no base64!", "does not follow the protocol"),
            (base64.b64encode(b"These are words. " * 40).decode(), "check --s2s_base_url"),
            (base64.b64encode(np.random.default_rng(0).bytes(9600)).decode(), "unknown format"),
            (base64.b64encode(b"OggS" + bytes(500)).decode(), "cannot be decoded"),
            (7, "without sound"),
        ],
    )
    def test_sound_that_is_none(
        self, engine: OpenAIAudioResponder, server: AudioChatServer, data: Any, said: str
    ) -> None:
        server.bodies.append(events(chunk({"audio": {"data": data}}, "stop"), "data: [DONE]\n\n"))
        with pytest.raises(EngineError, match=said):
            ask(engine)

    def test_a_server_that_fails_in_mid_answer(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        sound, error = {"audio": {"data": SOUND}}, {"error": {"message": "overloaded"}}
        server.bodies.append(events(chunk(sound), error))
        answer = engine.respond(Question(SPEECH, SessionSettings()), CancelToken())
        assert isinstance(next(answer), SpokenPiece)
        with pytest.raises(EngineError, match="broke off in mid-answer: overloaded"):
            list(answer)

    def test_a_request_that_failed_early_is_repeated(self, server: AudioChatServer) -> None:
        server.failures += [500]
        engine = OpenAIAudioResponder("m", base_url=server.base_url, retries=1)
        assert len(sound_of(ask(engine))) > 0
        assert len(server.requests) == 2
        engine.close()


@pytest.mark.parametrize("where", ["before_headers", "between_words"])
def test_a_cancelled_call_closes_the_connection(
    engine: OpenAIAudioResponder, server: AudioChatServer, where: str
) -> None:
    hold, cancel = getattr(server, where), CancelToken()
    hold.close()
    answer = engine.respond(Question(SPEECH, SessionSettings()), cancel)
    with ThreadPoolExecutor(1) as callers:
        call = callers.submit(list, answer)
        hold.wait_until_reached()
        cancel.cancel()
        assert call.result(SOON_S) == []
    hold.open()
    assert server.client_left.wait(SOON_S)
    assert len(server.requests) == 1, "a cancelled call is not repeated"


class TestSoundsKept:
    """OpenAI's model hears its earlier answers by their ids."""

    @pytest.fixture(autouse=True)
    def as_openai(self, monkeypatch: pytest.MonkeyPatch, server: AudioChatServer) -> None:
        """Make the engine treat the test's server as OpenAI's."""
        monkeypatch.setenv("OPENAI_API_KEY", "secret")
        monkeypatch.setattr(OpenAIServer, "is_openai", True)
        server.expires_at = int(time.time()) + 3600

    def conversation(self, engine: OpenAIAudioResponder, heard: str = REPLY) -> list[Answer]:
        """Ask a second question after an answer, of which the user heard only `heard`."""
        ask(engine)
        before = (ChatMessage("user", "(spoken)"), ChatMessage("assistant", heard))
        return ask(engine, messages=before)

    def test_an_answer_that_was_heard_goes_back_as_its_id(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        self.conversation(engine)
        assert server.requests[1]["messages"][1] == {"role": "assistant", "audio": {"id": "audio_1"}}

    def test_an_answer_that_was_cut_short_goes_back_as_text(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        self.conversation(engine, "Hello.…")
        assert server.requests[1]["messages"][1] == {"role": "assistant", "content": "Hello.…"}

    def test_what_expires_goes_back_as_text(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        server.expires_at = int(time.time()) + 30
        self.conversation(engine)
        assert server.requests[1]["messages"][1] == {"role": "assistant", "content": REPLY}

    def test_what_the_server_has_lost_goes_back_as_text(
        self, engine: OpenAIAudioResponder, server: AudioChatServer
    ) -> None:
        def refuses(request: dict[str, Any]) -> tuple[int, Any] | None:
            lost = any("audio" in message for message in request["messages"])
            return (404, {"error": {"message": "Audio not found"}}) if lost else None

        server.refuses = refuses
        assert text_of(self.conversation(engine)) == REPLY
        assert [request["messages"][1:2] for request in server.requests[1:]] == [
            [{"role": "assistant", "audio": {"id": "audio_1"}}],
            [{"role": "assistant", "content": REPLY}],
        ]


def test_other_servers_get_the_text(engine: OpenAIAudioResponder, server: AudioChatServer) -> None:
    server.expires_at = int(time.time()) + 3600
    ask(engine)
    ask(engine, messages=(ChatMessage("user", "Hi."), ChatMessage("assistant", REPLY)))
    assert server.requests[1]["messages"][1] == {"role": "assistant", "content": REPLY}


class TestStart:
    def test_the_first_model_of_a_server(self, server: AudioChatServer) -> None:
        engine = OpenAIAudioResponder(base_url=server.base_url)
        assert (engine.info.model, engine.info.device) == ("scripted", "")
        engine.close()

    def test_openai_needs_a_key_and_a_model(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        with pytest.raises(UserError, match="--s2s openai-audio: no key; set OPENAI_API_KEY"):
            OpenAIAudioResponder("gpt-audio-mini", base_url=OPENAI)
        monkeypatch.setenv("OPENAI_API_KEY", "secret")
        with pytest.raises(UserError, match="as in --s2s_model_name gpt-audio-mini"):
            OpenAIAudioResponder(base_url=OPENAI)

    def test_a_voice_that_openai_does_not_have(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "secret")
        with pytest.raises(UserError, match=r"--s2s_voice: expected one of the voices .* got 'Cherry'"):
            OpenAIAudioResponder("gpt-audio-mini", "Cherry", OPENAI)
        engine = OpenAIAudioResponder("gpt-audio-mini", base_url=OPENAI)
        assert engine.info.voices == VOICES
        with pytest.raises(EngineError) as caught:
            engine.expect_voice("Cherry")
        assert caught.value.code == "unknown_voice"

    def test_a_refused_key(self, server: AudioChatServer, tmp_path: Path) -> None:
        key = tmp_path / "key"
        key.write_text("the-secret-key\n")
        server.failures.append((401, {"error": {"message": "Incorrect API key: the-secret-key"}}))
        with pytest.raises(UserError, match="refuses the key") as caught:
            OpenAIAudioResponder(base_url=server.base_url, api_key_file=str(key))
        assert "secret" not in str(caught.value)
        assert server.keys == ["the-secret-key"]

    def test_a_server_that_is_not_there(self) -> None:
        with pytest.raises(UserError, match="no speech-to-speech model answers at"):
            OpenAIAudioResponder(base_url="http://127.0.0.1:9/v1")
