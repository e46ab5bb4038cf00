"""A full-duplex model behind every connection: input, output, interruption, and no room."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator

import httpx2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from connections.web.websocket_client import WebSocketClient
from pipeline.audio import from_pcm16, to_pcm16
from pipeline.clock import SampleClock
from testing.conversation import settled
from testing.duplex import RATE_HZ, DuplexConversation, FakeDuplexModel
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
from tests.speaking import speaking
from tests.web_client import WebClient


@pytest.fixture
def model() -> FakeDuplexModel:
    return FakeDuplexModel()


@pytest.fixture
def web(model: FakeDuplexModel) -> Iterator[DuplexWebServer]:
    with DuplexWebServer(model) as server:
        yield server


def loudest(audio: bytes) -> float:
    return float(np.abs(from_pcm16(audio)).max(initial=0.0))


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
    """A `PaceLimit` without a limit, so that ten minutes pass in seconds."""

    def __init__(self, now: float) -> None: ...

    def take(self, seconds: float, now: float) -> None: ...


def test_ten_minutes_over_the_websocket_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything except the socket, which would run in real time."""
    clock = SampleClock(RATE_HZ)
    monkeypatch.setattr("connections.remote_pace.MonotonicClock", lambda: clock)
    monkeypatch.setattr("connections.web.websocket_client.PaceLimit", NoPaceLimit)

    async def talk() -> None:
        client = WebSocketClient(RATE_HZ, full_duplex=True)
        with DuplexConversation(sink=client, clock=clock) as conversation:
            client.begin(conversation.session)
            client.attach(None)
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
        wait_for(model.all_closed.is_set, "the end of the conversation")


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
        return bool(httpx2.get(f"{url}/ready", timeout=60).json()["ready"])

    def room() -> str:
        (line,) = (
            x
            for x in httpx2.get(f"{url}/metrics", timeout=60).text.splitlines()
            if x.startswith("s2s_room ")
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
            assert refused["text"].startswith(
                "the server is full: its model holds 1 conversation at once"
            )
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
