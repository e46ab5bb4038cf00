"""The Realtime protocol over WebRTC: conversations between aiortc and the real server."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("aiortc", reason="aiortc is not installed: pip install -e '.[webrtc]'")

import connections.realtime.webrtc
import connections.realtime.webrtc_client
from testing.server import ScriptedWebServer
from tests.call_client import PATIENCE_S, CallClient
from tests.socket_clients import wait_for

TONE = 0.4
"""The level of a reply, four times that of a ducked one."""

LOUD, DUCKED, SOUND = (TONE / 2, 1.0), (TONE / 5, TONE / 3), (TONE / 8, 1.0)
LONG = "One sentence that takes a while to say. " * 40
"""16 s, longer than any test takes to interrupt it."""

MAX_BEHIND_MS = 160
"""A word counts as heard when it is over: the longest takes 90 ms. The codec fades 20 ms at each edge of
the sound, which may count or not."""


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        server.tts.tone = TONE
        yield server


@pytest.fixture
def client(server: ScriptedWebServer) -> Iterator[CallClient]:
    with CallClient(server.port) as client:
        client.until("session.created")
        yield client


def until_heard(client: CallClient, ms: int, level: tuple[float, float] = LOUD) -> None:
    wait_for(lambda: client.heard_ms(*level) >= ms, "some of the answer")


def until_silent(client: CallClient) -> None:
    wait_for(lambda: client.heard[-1] < SOUND[0], "silence")


def remembered(client: CallClient, item: str) -> str:
    client.send("conversation.item.retrieve", item_id=item)
    return str(client.until("conversation.item.retrieved").item.content[0].transcript)


class TestConversation:
    def test_a_question_is_answered(self, server: ScriptedWebServer, client: CallClient) -> None:
        client.say(400)
        stopped = client.until("output_audio_buffer.stopped")
        kinds = client.kinds()
        order = [
            "session.created",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "response.created",
            "response.content_part.added",
            "output_audio_buffer.started",
            "response.output_audio_transcript.done",
            "response.done",
            "output_audio_buffer.stopped",
        ]
        assert [kind for kind in dict.fromkeys(kinds) if kind in order] == order
        assert not {"response.output_audio.delta", "response.output_audio.done"} & {*kinds}
        done = client.events[-2].response
        assert (done.status, done.id) == ("completed", stopped.response_id)
        assert done.output[0].content[0].transcript == "One sentence. Another sentence."
        until_heard(client, 240)
        until_silent(client)
        assert np.max(client.heard) == pytest.approx(TONE, abs=0.03)
        assert client.heard_ms(*SOUND) == pytest.approx(300, abs=60)

    def test_the_microphone_is_heard_as_loud_as_it_is(
        self, server: ScriptedWebServer, client: CallClient
    ) -> None:
        client.say(400)
        client.until("response.done")
        (question,) = server.stt.heard
        level = np.sqrt(2 * np.mean(np.square(question[np.abs(question) > 0.001])))
        assert np.max(np.abs(question)) == pytest.approx(0.5, abs=0.05)
        assert level == pytest.approx(0.5, abs=0.1)

    def test_every_packet_of_the_microphone_is_heard_as_it_comes(
        self, server: ScriptedWebServer
    ) -> None:
        """It arrives without a further packet that would push it out of a buffer."""
        heard: list[int] = []
        with CallClient(server.port, packets=0) as client:
            client.until("session.created")
            server.sessions[0].intake.on_heard = lambda samples, rate_hz: heard.append(len(samples))
            client.allow(10)
            wait_for(lambda: len(heard) == 10, "ten packets")
        assert heard == [960] * 10

    def test_typed_text_and_an_answer_as_text(
        self, server: ScriptedWebServer, client: CallClient
    ) -> None:
        client.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        client.until("session.updated")
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Tea?"}]}
        client.send("conversation.item.create", item=item)
        client.send("response.create")
        client.until("response.done")
        assert "response.output_text.delta" in client.kinds()
        assert "output_audio_buffer.started" not in client.kinds()
        assert server.llm.prompts[0][-1].content == "Tea?"

    def test_a_telephone_codec(self, server: ScriptedWebServer) -> None:
        with CallClient(server.port, codec="audio/PCMU") as client:
            client.until("session.created")
            client.say(400)
            client.until("response.done")
            until_heard(client, 240)
        assert len(server.stt.heard) == 1


class TestInterruptions:
    """Audio that is not sent yet can be changed."""

    def test_speech_makes_it_quieter_then_stops_it(
        self, server: ScriptedWebServer, client: CallClient
    ) -> None:
        server.llm._replies = [LONG]
        client.say(400)
        client.until("output_audio_buffer.started")
        until_heard(client, 200)
        client.say(60_000)
        client.until("output_audio_buffer.cleared")
        assert client.kinds().count("input_audio_buffer.speech_started") == 2
        done = client.until("response.done").response
        assert (done.status, done.status_details.reason) == ("cancelled", "turn_detected")
        until_silent(client)
        heard_ms = client.heard_ms(*SOUND)
        text = remembered(client, done.output[0].id)
        assert LONG.startswith(text)
        assert 0 <= heard_ms - 10 * len(text) <= MAX_BEHIND_MS, "what was sent, and nothing else"
        assert client.heard_ms(*DUCKED) >= 60

    def test_a_cough_makes_it_quieter_and_costs_no_word(
        self, server: ScriptedWebServer, client: CallClient
    ) -> None:
        server.llm._replies = [LONG]
        server.stt._texts = ["words", *[""] * 9]
        client.say(400)
        client.until("output_audio_buffer.started")
        until_heard(client, 200)
        client.say(400)
        until_heard(client, 60, DUCKED)
        until_heard(client, client.heard_ms(*LOUD) + 400)
        client.send("output_audio_buffer.clear")
        done = client.until("response.done").response
        assert done.status_details.reason == "client_cancelled"
        assert client.kinds().count("input_audio_buffer.speech_started") == 1
        assert len(server.stt.heard) > 1
        until_silent(client)
        heard_ms = client.heard_ms(*SOUND)
        behind_ms = heard_ms - 10 * len(remembered(client, done.output[0].id))
        assert -20 <= behind_ms <= MAX_BEHIND_MS + 40, "but for a fade of the codec"

    @pytest.mark.parametrize(
        "order",
        [["output_audio_buffer.clear"], ["response.cancel", "output_audio_buffer.clear"]],
        ids=["clear", "cancel-clear"],
    )
    def test_the_client_cuts_it_off(
        self, server: ScriptedWebServer, client: CallClient, order: list[str]
    ) -> None:
        server.llm._replies = [LONG]
        client.say(400)
        client.until("output_audio_buffer.started")
        for kind in order:
            client.send(kind)
        client.until("output_audio_buffer.cleared")
        assert client.until("response.done").response.status_details.reason == "client_cancelled"
        client.send("output_audio_buffer.clear")  # nothing is there, and no error comes
        client.send("input_audio_buffer.clear")
        client.until("input_audio_buffer.cleared")

    def test_what_the_client_says_that_it_has_heard(
        self, server: ScriptedWebServer, client: CallClient
    ) -> None:
        server.llm._replies = [LONG]
        client.say(400)
        item = client.until("response.output_item.added").item.id
        until_heard(client, 200)
        client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=130)
        client.until("conversation.item.truncated")
        client.until("response.done")
        assert remembered(client, item) == "One sentence", "10 ms for each character"


def note(client: CallClient, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    event = {"type": "conversation.item.create", "item": item}
    client.send_raw(json.dumps(event, ensure_ascii=False))


class TestEvents:
    def test_more_of_them_than_the_network_takes_at_once(self, client: CallClient) -> None:
        for letter in "abcde":
            note(client, letter * 60_000)
        texts = [client.until("conversation.item.done").item.content[0].text for _ in range(5)]
        assert texts == [letter * 60_000 for letter in "abcde"]

    def test_one_that_is_longer_than_the_client_takes(self, client: CallClient) -> None:
        note(client, "\N{PARTY POPPER}" * 65_490)  # 180 bytes under the bound, the answer is above it
        for _ in ("added", "done"):
            assert client.until("error").error.code == "too_long"
        note(client, "short")
        assert client.until("conversation.item.done").item.content[0].text == "short"


class TestMistakes:
    @pytest.mark.parametrize(
        ("message", "code"),
        [
            (b"bytes", "invalid_event"),
            ("{", "invalid_json"),
            ('{"type": "input_audio_buffer.append", "audio": "AAAAAAAA"}', "unsupported"),
        ],
        ids=["bytes", "json", "append"],
    )
    def test_they_are_told_and_it_goes_on(
        self, server: ScriptedWebServer, client: CallClient, message: str | bytes, code: str
    ) -> None:
        client.send_raw(message)
        assert client.until("error").error.code == code
        client.say(400)
        client.until("response.done")

    def test_who_floods_us_is_hung_up(
        self, server: ScriptedWebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A busy machine takes few events a second, and needs time for the last ones."""
        monkeypatch.setattr(connections.realtime.webrtc_client, "MESSAGES_PER_S", 5)
        monkeypatch.setattr(connections.realtime.webrtc, "LAST_EVENTS_S", PATIENCE_S)
        with CallClient(server.port) as client:
            client.until("session.created")
            for _ in range(600):
                client.send("input_audio_buffer.clear")
            assert client.until("error").error.code == "flood"
            client.until_closed()
        wait_for(lambda: server.sessions[0].state.value == "closed", "the end of the session")
