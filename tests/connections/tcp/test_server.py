"""The TCP server: access, real speech through it, and its end."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import connections.tcp.pairing
import connections.tcp.sender
from arguments_classes.socket_arguments import SocketArguments
from connections.listen import listen
from connections.tcp.server import SocketServer
from pipeline.audio import from_pcm16, to_pcm16
from pipeline.errors import UserError
from testing.server import ScriptedServer
from tests.command import command, run
from tests.socket_clients import (
    AUDIO,
    CONTROL,
    PATIENCE_S,
    QUIET,
    RawClient,
)
from tests.socket_helpers import framed, raw
from tests.speech import RATE_HZ, share_heard, silence, spoken
from utils.shutdown import StopRequest

QUESTION = "What is the weather like in London today?"


class TestAccess:
    def test_the_right_token(self) -> None:
        with (
            ScriptedServer(token="open sesame") as server,
            framed(server, token="open sesame").welcomed() as client,
        ):
            client.ask()
            client.until(AUDIO)

    @pytest.mark.parametrize("token", ["", "wrong", "öpen", "\ud800"])
    def test_a_wrong_token(self, token: str, caplog: pytest.LogCaptureFixture) -> None:
        with ScriptedServer(token="open sesame") as server:
            with framed(server, token=token) as client:
                kind, _, _, payload = client.next_frame()
                assert kind == CONTROL
                assert json.loads(payload)["code"] == "unauthorized"
            assert server.sessions == []
        assert "open sesame" not in caplog.text

    def test_raw_clients_cannot_say_it(self) -> None:
        with ScriptedServer(token="open sesame") as server, raw(server) as client:
            client.microphone.sendall(QUIET)
            assert client.receive(1) == b""
            assert server.sessions == []

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", ""])
    def test_a_public_address_wants_a_token(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("S2S_TOKEN", raising=False)
        with pytest.raises(
            UserError, match=r"--recv_host .* set --token \(or S2S_TOKEN\), or add --insecure"
        ):
            SocketServer(SocketArguments(recv_host=host, recv_port=0), StopRequest())

    def test_the_token_may_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("S2S_TOKEN", "open sesame")
        arguments = SocketArguments(recv_host="0.0.0.0", recv_port=0, send_port=0)
        server = SocketServer(arguments, StopRequest())
        server.close()

    def test_a_port_that_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = run("--recv_port", str(port), "--send_port", "0")
        assert ended.returncode == 2
        assert f"port {port} is in use; is the program already running?" in ended.stderr
        assert len(ended.stderr.splitlines()) == 1

    def test_the_ports_open_when_the_engines_are_loaded(self) -> None:
        server = SocketServer(SocketArguments(recv_port=0, send_port=0), StopRequest())
        for port in server.ports:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
        server.open()
        for port in server.ports:
            socket.create_connection(("127.0.0.1", port)).close()
        server.close()

    def test_ports_that_another_program_has_opened_first(self) -> None:
        first = SocketServer(SocketArguments(recv_port=0, send_port=0), StopRequest())
        microphones, loudspeakers = first.ports
        late = SocketArguments(recv_port=microphones, send_port=loudspeakers)
        second = SocketServer(late, StopRequest())
        first.open()
        with pytest.raises(UserError, match=f"port {microphones} is in use"):
            second.open()
        first.close()
        second.close()

    def test_a_server_that_is_full(
        self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections.tcp.pairing, "MAX_SESSIONS", 1)
        with framed(server).welcomed() as inside, framed(server) as newcomer:
            assert newcomer.until(CONTROL, "refused")[2]["code"] == "busy"
            inside.ask()
            inside.until(AUDIO)


class RunningServer:
    """The command itself, with the default engines."""

    def __init__(self, *flags: str) -> None:
        argv = command(
            "--llm", "eliza", "--tts", "espeak", "--recv_port", "0", "--send_port", "0", *flags
        )
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "connect to" in line:
                microphone, loudspeaker = (int(port) for port in re.findall(r":(\d+)", line))
                self.ports = microphone, loudspeaker
                return
        raise AssertionError("the server did not start")

    def stop(self) -> tuple[str, str, float]:
        """The output, and how long Ctrl-C took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        printed, told = self.process.communicate(timeout=PATIENCE_S)
        return printed, told, time.monotonic() - began


def test_real_speech_through_the_real_engines_over_raw_tcp(tmp_path: Path) -> None:
    from pipeline.turn import CancelToken
    from STT.moonshine import MoonshineRecognizer

    server = RunningServer("--log_transcripts")
    with RawClient(*server.ports) as client:
        question = np.concatenate((silence(300), spoken(QUESTION), silence(700)))
        client.microphone.sendall(to_pcm16(question))
        reply = client.receive(2 * RATE_HZ * 3)
    printed, told, seconds = server.stop()
    assert server.process.returncode == 130
    assert seconds < 5
    assert "Traceback" not in told
    assert "weather" in printed
    heard = MoonshineRecognizer().transcribe(from_pcm16(reply), None, CancelToken()).text
    assert share_heard("I am Eliza, a stand-in for a language model.", heard) > 0.6


def test_what_was_said_is_not_written_where_a_log_may_be(tmp_path: Path) -> None:
    server = RunningServer("--log_level", "debug")
    with RawClient(*server.ports) as client:
        question = np.concatenate((silence(300), spoken(QUESTION), silence(700)))
        client.microphone.sendall(to_pcm16(question))
        client.receive(2 * RATE_HZ)
    printed, told, _ = server.stop()
    for text in (printed, told):
        assert "weather" not in text
        assert "Eliza" not in text
    assert "ms to the first audio" in printed


def test_the_second_ctrl_c_kills() -> None:
    server = RunningServer()
    server.process.send_signal(signal.SIGINT)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(PATIENCE_S) == 130
    for stream in (server.process.stdout, server.process.stderr):
        assert stream is not None
        stream.close()


def test_small_frames_are_sent_at_once() -> None:
    """Otherwise a flush waits up to 40 ms for the acknowledgement of the audio before it."""

    async def accepted_without_delay() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        class Accepted(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connection = transport.get_extra_info("socket")
                told.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.close()

        listening = listen("", "127.0.0.1", 0)
        async with await asyncio.get_running_loop().create_server(Accepted, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            try:
                return await told
            finally:
                writer.close()

    assert asyncio.run(accepted_without_delay())
