"""Calls over WebRTC: how they begin, how they end, and the parts that need no network."""

import asyncio
import fractions
import math
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import numpy as np
import openai
import pytest

pytest.importorskip("aiortc", reason="aiortc is not installed: pip install -e '.[webrtc]'")

import aioice.ice
import aioice.stun
from av import AudioFrame

import connections.realtime.webrtc
from connections.realtime.microphone import Microphone, NoJitterBuffer
from connections.realtime.webrtc_client import FRAME_SAMPLES, WebRTCClient
from pipeline.events import PartialTranscript
from pipeline.sink import Frame
from testing.server import ScriptedWebServer
from tests.call_client import PATIENCE_S, CallClient
from tests.socket_clients import wait_for

TOKEN = "the token"
CALLS = "/v1/realtime/calls"


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer(token=TOKEN, max_sessions=1) as server:
        yield server


@pytest.fixture
def offer(server: ScriptedWebServer) -> Iterator[str]:
    with CallClient(server.port, connect=False) as client:
        yield client.offer


def post(server: ScriptedWebServer, path: str = CALLS, body: str = "", key: str = TOKEN) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
    url = f"http://127.0.0.1:{server.port}{path}"
    return httpx2.post(url, content=body, headers=headers, timeout=PATIENCE_S)


def until_over(server: ScriptedWebServer, sessions: int = 1) -> None:
    """Wait until all sessions are over, and nothing is left of their calls."""
    assert len(server.sessions) == sessions
    wait_for(lambda: all(s.state.value == "closed" for s in server.sessions), "the end of the sessions")
    wait_for(lambda: not [t for t in threading.enumerate() if "decoder" in t.name], "the end of threads")


class TestBeginning:
    def test_with_the_client_of_openai(self, server: ScriptedWebServer) -> None:
        """A form with an offer and a session, and the id of the call as clients look for it."""
        api = openai.OpenAI(api_key=TOKEN, base_url=f"http://127.0.0.1:{server.port}/v1")
        with api, CallClient(server.port, connect=False) as client:
            audio = {"input": {"transcription": {"model": "any"}}}
            session: Any = {"type": "realtime", "instructions": "Sé breve.\r\n--x", "audio": audio}
            answer = api.realtime.calls.create(sdp=client.offer, session=session)
            assert answer.response.status_code == 201
            assert answer.response.headers["content-type"] == "application/sdp"
            client.accept(answer.text)
            assert client.until("session.created").session.id
            assert client.until("session.updated").session.instructions == "Sé breve.\r\n--x"
            assert server.sessions[0].events.wanted(PartialTranscript)
            api.realtime.calls.hangup(answer.response.headers["location"].split("/")[-1])
            client.until_closed()
        until_over(server)

    def test_with_a_client_secret(self, server: ScriptedWebServer) -> None:
        session = '{"session": {"type": "realtime", "instructions": "As the secret says."}}'
        key = post(server, "/v1/realtime/client_secrets", session).json()["value"]
        with CallClient(server.port, key=key) as client:
            client.until("session.created")
            assert client.until("session.updated").session.instructions == "As the secret says."
            assert post(server, f"{client.location}/hangup", key=key).status_code == 200
            client.until_closed()
        until_over(server)

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("m=audio", "m=video", "expected audio and a data channel, got application, video"),
            ("m=application", "m=audio", "offer that can be answered"),
            ("a=sendrecv", "a=sendonly", "audio that you receive"),
            ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "bundle"),
            ("a=mid:1", "a=mid:0", "bundle"),
            ("a=fingerprint:", "a=x:", "fingerprint"),
            ("a=ice-pwd:", "a=x:", "offer that can be answered"),
            ("opus/48000/2", "speex/8000", None),
            ("rtpmap", "x", "offer that can be answered"),
        ],
    )
    def test_an_offer_that_makes_no_sense(
        self, server: ScriptedWebServer, offer: str, old: str, new: str, expected: str | None
    ) -> None:
        assert old in offer
        answer = post(server, body=offer.replace(old, new))
        if expected is None:  # there are other codecs
            assert answer.status_code == 201
            return
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["type"], error["param"]) == ("invalid_request_error", "sdp")
        assert expected in error["message"]
        until_over(server)
        with CallClient(server.port, key=TOKEN) as client:
            client.until("session.created")

    @pytest.mark.parametrize("body", ["", "v", "\0" * 1000, "v=0\r\n" * 1000, "m=audio\r\n"])
    def test_what_is_no_offer_at_all(self, server: ScriptedWebServer, body: str) -> None:
        assert post(server, body=body).status_code == 400
        until_over(server)

    def test_candidates_that_only_the_network_of_the_client_knows(
        self, server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server does not resolve them, and does not need to."""
        asked: list[object] = []
        monkeypatch.setattr(aioice.ice, "get_or_create_mdns_protocol", asked.append)
        with CallClient(server.port, connect=False, key=TOKEN) as client:
            lines = client.offer.splitlines()
            place = next(i for i, line in enumerate(lines) if line.startswith("a=candidate"))
            lines[place] = "a=candidate:1 1 udp 2122194687 0b0c-d1.local 50000 typ host"
            client.offer = "\r\n".join(line for line in lines if line != "a=end-of-candidates") + "\r\n"
            client.accept(client.call().text)
            client.until("session.created")
        assert asked == []

    def test_no_room(self, server: ScriptedWebServer, offer: str) -> None:
        with CallClient(server.port, key=TOKEN) as client:
            client.until("session.created")
            answer = post(server, body=offer)
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "full"
            sessions = httpx2.get(
                f"http://127.0.0.1:{server.port}/v1/sessions",
                headers={"Authorization": f"Bearer {TOKEN}"},
                timeout=60,
            )
            assert [s["connected"] for s in sessions.json()["sessions"]] == [True]
        until_over(server)

    def test_who_never_comes(
        self, server: ScriptedWebServer, offer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections.realtime.webrtc, "CONNECT_S", 0.2)
        assert post(server, body=offer).status_code == 201
        until_over(server)


def answer_as_stun(server: socket.socket) -> None:
    """A STUN server that reports another address (RFC 8489), until it gets an empty packet."""
    while (received := server.recvfrom(1500))[0]:
        question = aioice.stun.parse_message(received[0])
        answer = aioice.stun.Message(
            message_method=question.message_method,
            message_class=aioice.stun.Class.RESPONSE,
            transaction_id=question.transaction_id,
        )
        answer.attributes["XOR-MAPPED-ADDRESS"] = ("203.0.113.9", 4242)
        server.sendto(bytes(answer), received[1])


def test_behind_a_router_a_stun_server_says_from_where_we_are_seen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stun:
        stun.bind(("0.0.0.0", 0))
        place = ("127.0.0.1", stun.getsockname()[1])
        answering = threading.Thread(target=answer_as_stun, args=(stun,), daemon=True)
        answering.start()
        with (
            ScriptedWebServer(ice_servers="stun:{}:{}".format(*place)) as server,
            CallClient(server.port, connect=False) as client,
        ):
            answer = client.call().text
            assert "203.0.113.9 4242 typ srflx" in answer
            client.accept(answer)
            client.until("session.created")
        stun.sendto(b"", place)
        answering.join()


class TestEnd:
    @pytest.fixture
    def client(self, server: ScriptedWebServer) -> Iterator[CallClient]:
        with CallClient(server.port, key=TOKEN) as client:
            client.until("session.created")
            yield client

    def test_hung_up(
        self, server: ScriptedWebServer, client: CallClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections.realtime.webrtc, "LAST_EVENTS_S", PATIENCE_S)
        assert post(server, f"{client.location}/hangup").status_code == 200
        assert client.until("error").error.code == "ended"
        client.until_closed()
        until_over(server)
        assert post(server, f"{client.location}/hangup").status_code == 404

    def test_the_client_closes(self, server: ScriptedWebServer, client: CallClient) -> None:
        client.do(client.connection.close())
        until_over(server)

    def test_the_client_closes_the_channel(self, server: ScriptedWebServer, client: CallClient) -> None:
        client._loop.call_soon_threadsafe(client.channel.close)
        until_over(server)

    def test_the_network_is_gone(
        self, server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server notices because the client's consent is not renewed (RFC 7675)."""
        monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.05)
        monkeypatch.setattr(aioice.ice, "CONSENT_FAILURES", 2)
        with CallClient(server.port, key=TOKEN) as client:
            client.until("session.created")
            client.do(client.vanish())
            until_over(server)

    def test_the_server_stops_in_mid_answer(self, server: ScriptedWebServer, client: CallClient) -> None:
        server.llm._replies = ["One sentence that takes a while to say. " * 40]
        client.say(400)
        client.until("output_audio_buffer.started")
        server.stop()
        assert client.until("response.done").response.status == "cancelled"
        client.until("error")
        client.until_closed()
        until_over(server)

    def test_the_server_stops_while_the_network_is_gone(
        self, server: ScriptedWebServer, client: CallClient
    ) -> None:
        client.do(client.vanish())
        server.stop()
        until_over(server)

    def test_another_channel_is_refused(self, server: ScriptedWebServer, client: CallClient) -> None:
        closed = threading.Event()

        async def open_another() -> None:
            client.connection.createDataChannel("files").on("close", closed.set)

        client.do(open_another())
        assert closed.wait(PATIENCE_S)
        assert server.sessions[0].state.value == "open"


def frames_of(client: WebRTCClient, *levels: float) -> None:
    for number, level in enumerate(levels):
        client.play(Frame(1, number * FRAME_SAMPLES, np.full(FRAME_SAMPLES, level, np.float32)))


class Reader:
    """The part of a session that a client without a conversation needs."""

    def __init__(self, client: WebRTCClient) -> None:
        self.woken = 0
        self.playout = self
        client._session = self  # type: ignore[assignment]
        client._attached = True

    def wake(self) -> None:
        self.woken += 1


class TestTheSink:
    @pytest.fixture
    def client(self) -> WebRTCClient:
        async def make() -> WebRTCClient:
            return WebRTCClient([])

        return asyncio.run(make())

    def test_there_is_room_while_little_waits(self, client: WebRTCClient) -> None:
        assert client.room_at(5) == math.inf, "nobody is there"
        reader = Reader(client)
        assert client.room_at(5) == 5
        frames_of(client, 0.1, 0.2, 0.3)
        assert client.room_at(5) == math.inf
        taken = client.next_frame()
        assert taken is not None
        assert taken[0] == pytest.approx(0.1)
        assert (client.room_at(5), reader.woken) == (5, 1)

    def test_what_was_taken_counts_as_heard(self, client: WebRTCClient) -> None:
        Reader(client)
        frames_of(client, 0.1, 0.2)
        assert client.unheard(0) == 2 * FRAME_SAMPLES
        assert client.heard_all_at(0) == math.inf
        client.next_frame()
        assert client.unheard(0) == FRAME_SAMPLES
        client.next_frame()
        assert client.unheard(0) == 0
        assert client.heard_all_at(0) == pytest.approx(client._clock.now() + 0.12, abs=0.1)

    def test_flushed_nothing_more_of_it_comes(self, client: WebRTCClient) -> None:
        Reader(client)
        frames_of(client, 0.1, 0.2, 0.3)
        client.next_frame()
        assert client.flush(1, FRAME_SAMPLES)
        assert client.next_frame() is None
        assert client.unheard(0) == 0

    def test_ducked_it_grows_quieter_within_a_frame(self, client: WebRTCClient) -> None:
        Reader(client)
        frames_of(client, 0.4, 0.4, 0.4)
        assert client.duck(1, 0.25)
        first, second = client.next_frame(), client.next_frame()
        assert first is not None
        assert second is not None
        assert (first[0], first[-1]) == (pytest.approx(0.4), pytest.approx(0.1))
        assert np.max(np.abs(np.diff(first))) < 0.001
        assert np.all(second == np.float32(0.1))


class TestTheMicrophone:
    def frame(self, at_ms: int) -> AudioFrame:
        samples = np.full((1, 1920), 16384, "<i2")
        frame = AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.time_base = 48000, fractions.Fraction(1, 48000)
        frame.pts = 48 * at_ms
        return frame

    def test_what_was_lost_is_silence(self) -> None:
        microphone = Microphone()
        lengths = []
        for at_ms in (0, 20, 60, 80, 10_000):
            samples, rate_hz = microphone.read(self.frame(at_ms))
            assert rate_hz == 48000
            assert np.all(samples[-960:] == 0.5)
            assert not np.any(samples[:-960])
            lengths.append(len(samples) // 48)
        assert lengths == [20, 20, 40, 20, 1020]

    def test_packets_pass_and_late_ones_do_not(self) -> None:
        buffer = NoJitterBuffer()

        def passed(number: int) -> bool:
            packet: Any = SimpleNamespace(sequence_number=number, _data=b"x", timestamp=number)
            return buffer.add(packet)[1] is not None

        numbers = [65533, 65534, 0, 65535, 0, 1, 4, 3, 5]
        assert [passed(n) for n in numbers] == [True, True, True, False, False, True, True, False, True]
        assert passed(40_000), "a new count"
        assert passed(40_001)
