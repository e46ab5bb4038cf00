"""Raw clients over TCP, from bare sockets; some of them misbehave."""

import contextlib
import socket
import time

import numpy as np
import pytest

import connections.tcp.pairing
import connections.tcp.sender
from connections.tcp.pairing import HELLO_S
from connections.tcp.sender import SocketSender
from LLM.chat import heard_id
from pipeline.audio import from_pcm16
from pipeline.session import SessionState
from testing.server import ScriptedServer
from tests.socket_clients import (
    LOUD,
    PATIENCE_S,
    QUIET,
    in_background,
    wait_for,
)
from tests.socket_helpers import framed, is_answered, raw
from tests.speech import RATE_HZ
from VAD.modes import MAX_UTTERANCE_S


class TestRaw:
    def test_a_question_is_answered(self, server: ScriptedServer) -> None:
        with raw(server) as client:
            assert is_answered(client)

    def test_audio_comes_in_blocks_of_1024_bytes_and_ends_with_silence(
        self, server: ScriptedServer
    ) -> None:
        with raw(server) as client:
            client.ask()
            reply = from_pcm16(client.receive(1024 * 10))
            assert np.allclose(reply[: 13 * 160], 0.01, atol=0.001), "One sentence."
            assert reply[-1] == 0

    def test_half_a_sample_waits_for_its_other_half(self, server: ScriptedServer) -> None:
        with raw(server) as client:
            data = LOUD * 10 + QUIET * 10
            for start in range(0, len(data), 333):
                client.microphone.sendall(data[start : start + 333])
            assert len(client.receive(10240)) == 10240
            heard = server.stt.heard[0]
            assert set(np.round(heard, 1)) <= {0.0, 0.5}, "no sample was put together wrongly"

    def test_who_has_said_everything_may_still_listen(self, server: ScriptedServer) -> None:
        """A client like ``cat question.raw | nc host 12345``."""
        with raw(server) as client:
            client.microphone.sendall(LOUD * 10)
            client.microphone.shutdown(socket.SHUT_WR)
            reply = client.receive_all()
            assert len(reply) == 10240
            wait_for(lambda: server.sessions[0].state is SessionState.CLOSED, "the end of the session")

    def test_sent_faster_than_it_is_said_nothing_is_lost(self, server: ScriptedServer) -> None:
        with raw(server) as client:
            client.microphone.sendall(LOUD * 1000 + QUIET * 10)
            client.receive(1024)
            assert 32.0 < len(server.stt.heard[0]) / RATE_HZ < 32.5

    def test_who_leaves_in_mid_word_ends_only_its_own_session(self, server: ScriptedServer) -> None:
        with raw(server) as stays:
            assert is_answered(stays)
            leaves = raw(server)
            leaves.microphone.sendall(LOUD * 5)
            wait_for(lambda: len(server.sessions) == 2, "a second session")
            leaves.close()
            wait_for(lambda: server.sessions[1].state is SessionState.CLOSED, "its end")
            assert server.sessions[0].state is SessionState.OPEN
            wait_for(server.sessions[0].should_listen.is_set, "the end of the echo")
            assert is_answered(stays)

    def test_who_leaves_while_it_is_spoken_to(self, server: ScriptedServer) -> None:
        server.llm._replies = ["A very long sentence that goes on. " * 20]
        client = raw(server)
        client.ask()
        client.receive(1024)
        client.close()
        wait_for(lambda: server.sessions[0].state is SessionState.CLOSED, "the end of the session")
        heard = server.chats[0].entry(heard_id(1))
        assert heard.cut_short

    def test_a_second_microphone_from_the_same_address_waits_in_vain(
        self, server: ScriptedServer
    ) -> None:
        first = socket.create_connection(("127.0.0.1", server.microphone_port))
        first.sendall(QUIET)
        second = socket.create_connection(("127.0.0.1", server.microphone_port))
        second.settimeout(PATIENCE_S)
        second.sendall(QUIET)
        with contextlib.suppress(ConnectionResetError):
            assert second.recv(1) == b"", "refused: one waits already"
        loudspeaker = socket.create_connection(("127.0.0.1", server.loudspeaker_port))
        loudspeaker.settimeout(PATIENCE_S)
        first.sendall(LOUD * 10 + QUIET * 10)
        assert len(loudspeaker.recv(1024)) > 0, "the first one is served"
        for connection in (first, second, loudspeaker):
            connection.close()

    @pytest.mark.parametrize("port", ["microphone_port", "loudspeaker_port"])
    def test_who_says_nothing_is_sent_away(
        self, server: ScriptedServer, port: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections.tcp.pairing, "PAIRING_S", 0.2)
        lonely = socket.create_connection(("127.0.0.1", getattr(server, port)))
        lonely.settimeout(PATIENCE_S)
        assert lonely.recv(1) == b""
        lonely.close()
        monkeypatch.undo()
        with raw(server) as client:
            assert is_answered(client)

    def test_ten_minutes_of_noise_are_survived(self, server: ScriptedServer) -> None:
        """Audio so loud that it is speech without a pause, which is cut every minute."""
        noise = np.random.default_rng(0).integers(-9999, 9999, RATE_HZ * 10, dtype="<i2").tobytes()
        with raw(server) as client:
            for _ in range(60):
                client.microphone.sendall(noise)
            client.microphone.sendall(QUIET * 10)
            wait_for(lambda: len(server.stt.heard) == 10, "ten utterances")
            assert max(map(len, server.stt.heard)) / RATE_HZ < MAX_UTTERANCE_S + 0.1
            assert client.receive(1024), "and then there is an answer"
        assert server.sessions[0].intake._position >= 600 * RATE_HZ

    def test_garbage_on_the_port_of_the_loudspeaker(self, server: ScriptedServer) -> None:
        confused = socket.create_connection(("127.0.0.1", server.loudspeaker_port))
        confused.settimeout(PATIENCE_S)
        confused.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert confused.recv(1) == b""
        confused.close()
        with raw(server) as client:
            assert is_answered(client)

    def test_many_clients_at_once(self, server: ScriptedServer) -> None:
        """They connect one after the other (raw clients are paired by address), then all speak."""
        clients = []
        for number in range(10):
            clients.append(raw(server))
            clients[-1].microphone.sendall(QUIET)
            wait_for(lambda n=number: len(server.sessions) == n + 1, "a session")
        answered: list[bool] = []
        askers = [in_background(lambda c=c: answered.append(is_answered(c))) for c in clients]
        for asker in askers:
            asker.join(PATIENCE_S)
        assert answered == [True] * 10
        for client in clients:
            client.close()

    def test_two_that_are_silent_are_paired_as_they_came(self, server: ScriptedServer) -> None:
        with raw(server) as first:
            wait_for(lambda: len(server.sessions) == 1, "a session for who has said nothing")
            with raw(server) as second:
                assert is_answered(second)
            first.loudspeaker.setblocking(False)
            with pytest.raises(BlockingIOError):
                first.loudspeaker.recv(1)

    def test_who_came_and_left_is_in_nobodys_way(self, server: ScriptedServer) -> None:
        for _ in range(5):
            left = raw(server)
            left.microphone.sendall(QUIET)
            left.close()
        time.sleep(HELLO_S)
        with raw(server) as client:
            assert is_answered(client)

    def test_a_client_that_reads_nothing_harms_nobody(self, server: ScriptedServer) -> None:
        server.llm._replies = ["A very long sentence that goes on. " * 4000, "Short."]
        with framed(server, recv_rate=48000).welcomed() as deaf:
            deaf.loudspeaker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.ask()
            wait_for(lambda: any(side._stalled for side in senders(server)), "a client that stalls")
            with raw(server) as other:
                other.ask()
                assert other.receive(1024)
            server.sessions[0].interrupt()
            server.sessions[0].respond("again")
            wait_for(lambda: len(server.llm.prompts) == 3, "the next turn")
            server._stop.make()
            server._thread.join(PATIENCE_S)
            assert not server._thread.is_alive(), "nor does it hold up the end"


def senders(server: ScriptedServer) -> list[SocketSender]:
    sinks = (session._sink for session in server.sessions)
    return [sink for sink in sinks if isinstance(sink, SocketSender)]
