"""The WebSocket: real clients on real sockets, their messages, and dropped connections."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed

from pipeline.audio import from_pcm16
from testing.fakes import ScriptedModel
from testing.server import ScriptedWebServer
from tests.command import command
from tests.socket_clients import wait_for
from tests.web_client import WebClient

LONG = "One sentence that takes a while to say. " * 40
"""16 s, longer than any test takes to interrupt it."""


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


class TestConversation:
    def test_a_question_is_answered_in_packets_of_20_ms(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            welcome = client.until("welcome")
            assert (welcome["rate"], welcome["event_rate"]) == (24000, 16000)
            assert (welcome["takes_text"], welcome["takes_turns"]) == (True, False)
            assert welcome["texts"] == 0
            client.ask()
            assert not client.audio, "that a reply begins is told before it is heard"
            done = client.until("TurnDone")
            assert done["heard"] == "One sentence. Another sentence."
            assert {len(packet) for packet in client.audio} == {960}
            seconds = sum(map(len, client.audio)) / 48000
            assert seconds == pytest.approx(0.01 * len("One sentence.Another sentence."), abs=0.05)
            kinds = [message["type"] for message in client.messages]
            assert kinds.count("audio") == 1, "one place in front of all that follows"
            names = [m["event"] for m in client.messages if m["type"] == "event"]
            assert names.index("Transcript") < names.index("ReplyStarted") < names.index("TurnDone")

    def test_at_another_rate(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port, "?rate=16000") as client:
            client.rate_hz = 16000
            client.ask()
            client.until("TurnDone")
            assert {len(packet) for packet in client.audio} == {640}

    def test_packets_of_any_size(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.socket.send(np.full(12000, 16000, "<i2").tobytes())
            for _ in range(20):
                client.socket.send(bytes(2))
            client.socket.send(bytes(24000))
            client.until("ReplyStarted")

    def test_typed_text_is_answered_and_remembered(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.send("respond", text="typed")
            assert client.until("TurnDone")["user_text"] == "typed"
        assert server.llm.prompts[0][-1].content == "typed"

    def test_an_interruption_empties_the_client(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as client:
            client.ask()
            client.send("interrupt")
            assert client.until("flush")["turn"] == 1
            heard = client.until("Interrupted")["heard"]
            assert LONG.startswith(heard)
            before = len(client.audio)
            client.send("respond", text="next")
            assert client.until("audio")["turn"] == 2
            assert len(client.audio) == before, "nothing more of the old answer"

    def test_speech_over_the_answer_ducks_pauses_and_interrupts(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as client:
            client.ask()
            client.say(1400)
            assert client.until("duck")["gain"] < 1
            client.until("flush")
            client.until("Interrupted")

    def test_in_half_duplex_it_does_not(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port, "?duplex=half") as client:
            client.ask()
            while len(client.audio) < 10:  # what is captured from now on comes behind its beginning
                client.receive()
            client.say(1400)
            client.send("interrupt")
            assert client.until("Interrupted")["reason"] == "the client asked for it"

    def test_push_to_talk(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.send("settings", hands_free=False)
            client.say(400)
            client.say(400, 0.0)
            client.send("start")
            client.say(400)
            client.send("commit")
            client.until("ReplyStarted")
            client.until("TurnDone")
            assert len(server.stt.heard) == 1
            client.send("start")
            client.say(200)
            client.send("cancel")
            client.until("SpeechCancelled")
            client.send("commit")
            assert client.until("ErrorEvent")["code"] == "nothing_said"

    def test_what_the_client_played_corrects_what_was_heard(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG]
        with WebClient(server.port) as client:
            client.ask()
            client.send("interrupt")
            client.until("Interrupted")
            client.send("played", turn=1, sample=0)
            client.send("respond", text="next")
            client.until("ReplyStarted")
        assert not [message for message in server.llm.prompts[1] if message.role == "assistant"]

    def test_a_sign_of_life_comes_at_once(self, server: ScriptedWebServer) -> None:
        server.llm.hold.close()
        with WebClient(server.port) as client:
            client.send("respond", text="typed")
            server.llm.hold.wait_until_reached()
            client.send("ping")
            assert client.until("pong") == {"type": "pong"}

    def test_a_stage_that_fails_costs_one_answer(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            server.llm.error_after_words = (0, ValueError("secret"))
            client.say(400)
            client.say(600, 0.0)
            error = client.until("ErrorEvent")
            assert error["stage"] == "llm"
            assert "secret" not in json.dumps(client.messages)
            client.until("TurnDone")
            server.llm.error_after_words = None
            client.ask()


class TestMistakes:
    @pytest.mark.parametrize(
        "text",
        [
            "no json",
            "[]",
            "3",
            "{}",
            '{"type": "sing"}',
            '{"type": ["start"]}',
            '{"type": "respond"}',
            '{"type": "respond", "text": 3}',
            '{"type": "played", "turn": -1, "sample": 0}',
            '{"type": "played", "turn": true, "sample": 0}',
            '{"type": "settings", "voice": 3}',
            '{"type": "settings", "reply_mode": "song"}',
            '{"type": "settings", "hands_free": null}',
            '{"type": "settings", "password": "x"}',
            "[" * 20_000,
        ],
    )
    def test_a_message_that_makes_no_sense_is_told_and_the_session_goes_on(
        self, server: ScriptedWebServer, text: str
    ) -> None:
        with WebClient(server.port) as client:
            client.socket.send(text)
            error = client.until("error")
            assert error["code"] == "bad_message"
            assert "expected" in error["text"]
            client.ask()

    def test_audio_that_is_too_long_ends_the_connection(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.socket.send(b"\0" * 96_002)
            assert client.until("error")["code"] == "too_long"
            assert client.until_closed() == 1009
        wait_for(lambda: server.sessions[0].state.value == "closed", "the end of the session")

    def test_a_flood_is_stopped(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(100):
                    client.socket.send(b"\0" * 48_000)
            assert client.until_closed() == 1008

    def test_a_huge_message_ends_the_connection(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.socket.send(b"\0" * (1 << 20))
            assert client.until_closed() == 1009

    def test_a_text_that_is_too_long_is_told(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.send("respond", text="x" * 70_000)
            error = client.until("error")
            assert (error["code"], error["about"]) == ("too_long", None)

    def test_an_error_names_the_message_that_it_is_about(self, server: ScriptedWebServer) -> None:
        with WebClient(server.port) as client:
            client.send("settings", voice="nobody")
            assert client.until("error")["about"] == "settings"
            client.send("sing")
            assert client.until("error")["about"] is None

    @pytest.mark.parametrize(
        "query", ["?rate=100", "?rate=96000", "?rate=abc", "?rate=", "?duplex=some"]
    )
    def test_a_wish_that_cannot_be_granted(self, server: ScriptedWebServer, query: str) -> None:
        with WebClient(server.port, query) as client:
            assert client.until("error")["code"] == "bad_message"
            assert client.until_closed() == 1007

    def test_who_reads_nothing_holds_nobody_up(self, server: ScriptedWebServer) -> None:
        server.llm._replies = [LONG * 4]
        with WebClient(server.port) as deaf, WebClient(server.port) as client:
            deaf.say(400)
            deaf.say(600, 0.0)
            server.llm._replies = ["Short."]
            client.ask()
            client.until("TurnDone")

    def test_a_hundred_come_and_go(self, server: ScriptedWebServer) -> None:
        for number in range(100):
            client = WebClient(server.port)
            client.say(100)
            if number % 2:
                client.close()
            else:
                client.drop()
                client.close()
        left = [session for session in server.sessions[1::2] if session.state.value != "closed"]
        wait_for(lambda: all(s.state.value == "closed" for s in left), "those who said goodbye")


def test_the_audio_is_what_was_spoken(server: ScriptedWebServer) -> None:
    server.llm = ScriptedModel("x")
    with WebClient(server.port, "?rate=16000") as client:
        client.rate_hz = 16000
        client.send("respond", text="hello")
        client.until("TurnDone")
        audio = from_pcm16(b"".join(client.audio))
        assert np.allclose(audio[100:200], 0.01, atol=1e-3)


@pytest.mark.parametrize(("turn", "played"), [(0, 0), (1, 0), (1, 9600)])
def test_a_loss_that_nobody_noticed_costs_nothing_of_the_answer(
    server: ScriptedWebServer, turn: int, played: int
) -> None:
    """The server goes on sending, and its clock says that all of it was heard."""
    reply = LONG[:320]
    server.llm._replies = [reply]
    with WebClient(server.port) as first:
        first.ask()
        first.send("played", turn=turn, sample=played)
        while len(first.audio) < 100:
            first.receive()
        with WebClient(server.port, f"?key={first.messages[0]['key']}") as again:
            assert again.until("audio")["sample"] == played
            assert again.until("TurnDone")["heard"] == reply.strip()


def test_the_example_asks_and_keeps_the_answer(server: ScriptedWebServer, tmp_path: Path) -> None:
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    soundfile.write(question, np.full(8000, 0.5), 16000)
    url = f"ws://127.0.0.1:{server.port}/ws"
    asking = command(str(question), str(answer), url, program="examples/websocket_client.py")
    ended = subprocess.run(asking, capture_output=True, text=True, timeout=200, check=True)
    assert "    you: words" in ended.stdout
    assert "machine: One sentence." in ended.stdout
    audio, rate_hz = soundfile.read(answer)
    assert len(audio) / rate_hz == pytest.approx(0.3, abs=0.05)
