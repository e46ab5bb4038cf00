"""A full-duplex model behind the Realtime protocol."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from testing.duplex import FakeDuplexModel
from testing.duplex_servers import DuplexWebServer
from tests.realtime_client import RealtimeClient
from tests.socket_clients import (
    wait_for,
)
from tests.speaking import speaking


@pytest.fixture
def model() -> FakeDuplexModel:
    return FakeDuplexModel()


@pytest.fixture
def web(model: FakeDuplexModel) -> Iterator[DuplexWebServer]:
    with DuplexWebServer(model) as server:
        yield server


def test_the_realtime_protocol(web: DuplexWebServer, model: FakeDuplexModel) -> None:
    with RealtimeClient(web.port) as client:
        heard = client.until("session.created").session.audio.input
        assert (heard.turn_detection, heard.transcription) == (None, None)
        detection = {"type": "server_vad", "silence_duration_ms": 300}
        wish = {"input": {"turn_detection": detection, "transcription": {"model": "any"}}}
        heard = client.configure(audio=wish, instructions="Be brief.").audio.input
        assert (heard.turn_detection, heard.transcription) == (None, None)
        with speaking(lambda: client.say(20)):
            client.until("response.output_audio_transcript.delta")
            client.until("response.output_audio.delta")
            client.send("response.cancel")
            done = client.until("response.done").response
            assert (done.status, done.status_details.reason) == ("cancelled", "client_cancelled")
            client.until("response.created")
            client.until("response.output_audio.delta")
        assert len(client.of("response.created")) == 2
        spoken = {"input_audio_buffer.speech_started", "input_audio_buffer.committed"}
        assert not spoken & set(client.kinds())
        assert client.of("error") == []
    assert model.opened[0].instructions == "Be brief."


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"type": "response.create"}, "this model decides itself when to speak"),
        ({"type": "input_audio_buffer.commit"}, "this model always listens"),
        (
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "hello"}],
                },
            },
            "this model listens, it does not read",
        ),
        (
            {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}},
            "this model speaks, it does not write",
        ),
    ],
)
def test_what_the_realtime_protocol_cannot_ask_of_it(
    web: DuplexWebServer, event: dict[str, Any], sentence: str
) -> None:
    with RealtimeClient(web.port) as client:
        client.until("session.created")
        kind = event.pop("type")
        client.send(kind, **event)
        error = client.until("error").error
        assert error.message.startswith(sentence)
        assert error.code == "unsupported"


def test_a_frame_that_fails_is_a_response_that_failed(
    web: DuplexWebServer, model: FakeDuplexModel
) -> None:
    model.fails_at = {6}
    with RealtimeClient(web.port) as client, speaking(lambda: client.say(20)):
        done = client.until("response.done").response
        assert done.status == "failed"
        assert done.status_details.error.code == "engine_failed"


def test_a_call(web: DuplexWebServer) -> None:
    pytest.importorskip("aiortc", reason="aiortc is not installed: pip install -e '.[webrtc]'")
    from tests.call_client import CallClient

    with CallClient(web.port) as client:
        client.microphone.levels.extend(itertools.repeat(0.5, 500))
        wait_for(lambda: any(level > 0.3 for level in client.heard), "what was said")
        assert web.sessions[0].state.value == "open"
