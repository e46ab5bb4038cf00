"""A duplex model behind every connection: in, out, stopped, full."""

import asyncio
import contextlib
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed

from arguments_classes.file_arguments import FileArguments
from connections.recorded.archive import Archive
from connections.recorded.file import FileConnection
from connections.web.websocket_client import WebSocketClient
from engines.engines import Engines
from pipeline.audio import from_pcm16, to_pcm16
from pipeline.clock import Clock, SampleClock
from pipeline.errors import EngineError
from pipeline.session import Session
from pipeline.settings import SessionSettings
from pipeline.sink import Sink
from s2s_pipeline import build_pipeline
from testing.conversation import settled
from testing.duplex import RATE_HZ, DuplexConversation, FakeDuplexModel, duplex_engines
from testing.duplex_servers import DuplexServer, DuplexWebServer
from tests.realtime_client import RealtimeClient
from tests.socket_clients import (
    AUDIO,
    CONTROL,
    EVENT,
    LOUD,
    FramedClient,
    RawClient,
    frame,
    wait_for,
)
from tests.web_client import WebClient
from utils.shutdown import StopRequest


@pytest.fixture
def model() -> FakeDuplexModel:
    return FakeDuplexModel()


@pytest.fixture
def web(model: FakeDuplexModel) -> Iterator[DuplexWebServer]:
    with DuplexWebServer(model) as server:
        yield server


def loudest(audio: bytes) -> float:
    return float(np.abs(from_pcm16(audio)).max(initial=0.0))


@contextlib.contextmanager
def speaking(say: Callable[[], None]) -> Iterator[None]:
    """Say 20 ms, again and again, in real time, on another thread, until the block ends."""
    over = threading.Event()

    def speak() -> None:
        with contextlib.suppress(OSError, ConnectionClosed):
            while not over.wait(0.02):
                say()

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def until_loud(client: WebClient) -> None:
    while not client.audio or loudest(client.audio[-1]) < 0.4:
        client.receive()


# -- the WebSocket ------------------------------------------------------------------------------------


def test_over_the_websocket(web: DuplexWebServer, model: FakeDuplexModel) -> None:
    with WebClient(web.port) as client, speaking(lambda: client.say(20)):
        assert client.until("TurnCommitted")["origin"] == "duplex"
        until_loud(client)
        client.send("respond", text="hello")
        error = client.until("error")
        assert (error["code"], error["text"]) == ("speech_only", "this model listens, it does not read")
        client.send("interrupt")
        assert client.until("flush")["turn"] == 1
        client.until("TurnDone")
        client.audio.clear()
        assert client.until("TurnCommitted")["turn"] == 2
        until_loud(client)
    wait_for(model.all_closed.is_set, "the end of the conversation")
    assert len(model.opened) == 1


def test_a_client_that_comes_back_hears_what_is_said_now(web: DuplexWebServer) -> None:
    with WebClient(web.port) as client:
        key = client.key
        with speaking(lambda: client.say(20)):
            until_loud(client)
        client.drop()
        with contextlib.suppress(ConnectionClosed):
            while True:
                client.receive()
    with WebClient(web.port, f"?key={key}") as again, speaking(lambda: again.say(20)):
        again.until("welcome")
        until_loud(again)
        assert len(web.sessions) == 1


class NoPaceLimit:
    """Lets ten minutes pass in seconds."""

    def __init__(self, now: float) -> None: ...

    def take(self, seconds: float, now: float) -> None: ...


def test_ten_minutes_over_the_websocket_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the socket: its pace is real time."""
    clock = SampleClock(RATE_HZ)
    monkeypatch.setattr("connections.remote_pace.MonotonicClock", lambda: clock)
    monkeypatch.setattr("connections.web.websocket_client.PaceLimit", NoPaceLimit)

    async def talk() -> None:
        client = WebSocketClient(RATE_HZ, full_duplex=True)
        with DuplexConversation(sink=client, clock=clock) as conversation:
            client.begin(conversation.session)
            client.attach(again=False)
            packet = to_pcm16(np.full(RATE_HZ // 50, 0.5, np.float32))
            received, waiting, events = 0, 0, 0
            for minute in range(10):
                for _ in range(60 * 50):
                    clock.advance(RATE_HZ // 50)
                    settled(conversation.session)
                    await client.receive(packet)
                    settled(conversation.session)
                    messages = client.take_messages()
                    waiting = max(waiting, len(messages))
                    received += sum(len(data) // 2 for data in messages if isinstance(data, bytes))
                    events += sum(isinstance(data, str) for data in messages)
                await asyncio.sleep(0)
                late_ms = 60_000 * (minute + 1) - 1000 * received // RATE_HZ
                assert late_ms in (100, 120), "no drift"
            assert waiting < 10
            assert events == 4 + 750, "welcome, committed, started, position, and the texts"
            assert len(conversation.model.peaks) == 600_000 // 80

    asyncio.run(talk())


# -- TCP ----------------------------------------------------------------------------------------------


def test_a_raw_client(model: FakeDuplexModel) -> None:
    with (
        DuplexServer(model) as server,
        RawClient(server.microphone_port, server.loudspeaker_port) as client,
    ):
        with speaking(lambda: client.send_audio(LOUD[:640])):
            while loudest(client.receive(1024)) < 0.4:
                pass
        client.microphone.shutdown(socket.SHUT_WR)
        client.receive_all()
    assert model.all_closed.is_set()


def test_a_framed_client(model: FakeDuplexModel) -> None:
    with (
        DuplexServer(model) as server,
        FramedClient(server.microphone_port, server.loudspeaker_port) as client,
    ):
        client.welcomed()
        with speaking(lambda: client.send_audio(LOUD[:640])):
            assert client.until(EVENT, "NoticeGiven")[2]["code"] == "echo"
            client.until(EVENT, "ReplyStarted")
            while loudest(client.until(AUDIO)[2]) < 0.4:
                pass
        client.send(frame(CONTROL, json.dumps({"type": "interrupt"}).encode()))
        assert client.until(CONTROL, "flush")[0] == 1


# -- room for one conversation ------------------------------------------------------------------------


def test_a_client_too_many_is_told_so_and_there_is_room_again_once_the_state_is_closed(
    web: DuplexWebServer, model: FakeDuplexModel
) -> None:
    url = f"http://127.0.0.1:{web.port}"

    def ready() -> bool:
        return bool(httpx2.get(f"{url}/ready").json()["ready"])

    def room() -> str:
        (line,) = (
            x for x in httpx2.get(f"{url}/metrics").text.splitlines() if x.startswith("s2s_room ")
        )
        return line

    assert (ready(), room()) == (True, "s2s_room 1.0")
    with WebClient(web.port) as client:
        client.until("welcome")
        assert (ready(), room()) == (False, "s2s_room 0.0")
        with WebClient(web.port) as other:
            assert other.until("error")["code"] == "full"
        with RealtimeClient(web.port) as other_realtime:
            assert "full" in other_realtime.until("error").error.message
        model.hold.close()
        client.say(400)
        model.hold.wait_until_reached()
    wait_for(lambda: web.sessions[0].state.value == "closed", "the end of the session")
    assert not ready(), "its last frame is still being computed"
    model.hold.open()
    wait_for(ready, "room for a conversation")
    with WebClient(web.port) as client:
        client.until("welcome")
    assert len(web.sessions) == 2


def test_as_many_conversations_as_the_model_holds() -> None:
    with DuplexWebServer(FakeDuplexModel(slots=2)) as web, contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(WebClient(web.port)).until("welcome")
        assert stack.enter_context(WebClient(web.port)).until("error")["code"] == "full"


def test_a_tcp_client_too_many(model: FakeDuplexModel) -> None:
    with (
        DuplexServer(model) as server,
        FramedClient(server.microphone_port, server.loudspeaker_port) as first,
    ):
        first.welcomed()
        with FramedClient(server.microphone_port, server.loudspeaker_port) as second:
            refused = second.until(CONTROL, "refused")[2]
            assert refused["code"] == "full"
            assert refused["text"].startswith("the model is full: 1 conversation")
        with RawClient(server.microphone_port, server.loudspeaker_port) as raw:
            assert raw.receive_all() == b""
        assert len(server.sessions) == 1


def test_a_call_too_many(web: DuplexWebServer) -> None:
    pytest.importorskip("aiortc", reason="aiortc is not installed: pip install -e '.[webrtc]'")
    from tests.call_client import CallClient

    with WebClient(web.port) as client:
        client.until("welcome")
        with CallClient(web.port, connect=False) as caller:
            answer = caller.call()
            assert answer.status_code == 503
            assert "full" in answer.text


# -- the Realtime protocol ----------------------------------------------------------------------------


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


# -- recordings ---------------------------------------------------------------------------------------


def ramp(seconds: float, rate_hz: int) -> Any:
    """A tone that gets louder, so that each moment sounds different; and silence after it."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    tone = np.sin(2 * np.pi * 300 * time_s) * np.linspace(0.05, 0.8, len(time_s))
    return np.concatenate((tone, np.zeros(rate_hz))).astype(np.float32)


def converse(engines: Engines, source: Path, folder: Path, record: Path | None = None) -> dict[str, Any]:
    """Run file mode over a recording; returns its transcript."""
    arguments = FileArguments(input=str(source), output=str(folder / "reply.wav"))
    connection = FileConnection(arguments, StopRequest())
    archive = None if record is None else Archive(record)

    def open_session(sink: Sink, label: str, clock: Clock | None = None) -> Session:
        recorder = None if archive is None else archive.keep(sink, label)
        session = build_pipeline(engines, recorder or sink, settings=SessionSettings(), clock=clock)
        if recorder is not None:
            recorder.attach(session)
        return session

    assert connection.run(open_session, engines.capabilities) == 0
    if archive is not None:
        archive.close()
    transcript: dict[str, Any] = json.loads((folder / "reply.transcript.json").read_text("utf-8"))
    return transcript


def lag_ms(stereo: Any, rate_hz: int) -> float:
    """The delay of the right side, by the best correlation."""
    left, right = stereo[:, 0], stereo[:, 1]
    size = 1 << (2 * len(left)).bit_length()
    spectrum = np.fft.rfft(right, size) * np.conj(np.fft.rfft(left, size))
    return 1000 * float(np.argmax(np.fft.irfft(spectrum, size)[: len(left)])) / rate_hz


def test_a_recording_in_and_both_sides_out_and_a_replay(model: FakeDuplexModel, tmp_path: Path) -> None:
    source, engines = tmp_path / "question.wav", duplex_engines(model)
    soundfile.write(source, ramp(5, RATE_HZ), RATE_HZ)
    transcript = converse(engines, source, tmp_path, tmp_path / "kept")
    assert transcript["errors"] == []
    assert [turn["reason"] for turn in transcript["turns"]] == ["complete"]
    assert transcript["turns"][0]["heard"] == "0 10 20 30 40 50 60"
    both, rate_hz = soundfile.read(tmp_path / "reply.conversation.wav")
    assert 158 <= lag_ms(both, rate_hz) <= 200, "two frames, and the wait for a block of 32 ms"
    reply, _ = soundfile.read(tmp_path / "reply.wav")
    assert np.abs(reply).max() == pytest.approx(0.8, abs=0.05)

    (kept,) = (tmp_path / "kept").iterdir()
    (tmp_path / "again").mkdir()
    wait_for(model.all_closed.is_set, "the end of the first conversation")
    again = converse(engines, kept, tmp_path / "again")
    assert again["turns"][0]["heard"] == transcript["turns"][0]["heard"]
    repeated, _ = soundfile.read(tmp_path / "again/reply.conversation.wav")
    assert lag_ms(repeated, rate_hz) == pytest.approx(lag_ms(both, rate_hz), abs=33)
    engines.close()


def test_a_recording_of_a_client_too_many_is_not_begun(model: FakeDuplexModel) -> None:
    engines = duplex_engines(model)
    engines.places.expect_free()
    engines.places.take()
    with pytest.raises(EngineError, match="the model is full: 1 conversation"):
        engines.places.expect_free()
    engines.places.release()
    engines.places.expect_free()
