"""The TCP client on devices of all kinds, in front of a bare server."""

import contextlib
import json
import socket
import struct
import threading
from typing import Any, BinaryIO

import numpy as np
import pytest

import listen_and_play
from connections.local import sound_port
from connections.tcp.playback import Playback
from connections.tcp.wire import FrameKind, WireFrame
from pipeline.audio import from_pcm16, to_pcm16
from pipeline.errors import NoAudioDevice, UserError
from pipeline.session import SHUT_DOWN
from testing.portaudio import HOST_ERROR, Device
from tests.connections.local.local_mode import plug_in
from tests.connections.local.tones import expect_tone, tone
from tests.socket_clients import AUDIO, CONTROL, EVENT, frame, wait_for
from utils.shutdown import StopRequest

RATE_HZ = 16000
MINUTE = 60


class BareServer:
    """Welcomes one client, plays it a minute of a tone, and keeps what it sends."""

    def __init__(self, recv_hz: int) -> None:
        self._ports = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
        self.ports = [port.getsockname()[1] for port in self._ports]
        self.hello: dict[str, Any] = {}
        self._recv_hz = recv_hz
        self._audio = bytearray()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def wait_for(self, samples: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Wait until this much audio has come. Returns all of it."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._audio) >= 2 * samples, 60), len(self._audio)
            return from_pcm16(bytes(self._audio))

    def close(self) -> None:
        self._thread.join(60)
        for port in self._ports:
            port.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as connections:
            self._talk(*(connections.enter_context(port.accept()[0]) for port in self._ports))

    def _talk(self, microphone: socket.socket, loudspeaker: socket.socket) -> None:
        with microphone.makefile("rb") as heard, loudspeaker.makefile("rb") as told:
            for file in (heard, told):
                length = struct.unpack("<8sHI", file.read(14))[2]
                self.hello = json.loads(file.read(length))
            self._play(loudspeaker)
            self._hear(heard)

    def _play(self, loudspeaker: socket.socket) -> None:
        loudspeaker.sendall(frame(CONTROL, json.dumps({"type": "welcome"}).encode()))
        sound = tone(np.arange(MINUTE * self._recv_hz) / self._recv_hz).astype(np.float32)
        for start in range(0, len(sound), 1000):
            loudspeaker.sendall(frame(AUDIO, to_pcm16(sound[start : start + 1000]), 1, start))

    def _hear(self, heard: BinaryIO) -> None:
        while header := heard.read(20):
            kind, length, _, _ = struct.unpack("<B3xIIQ", header)
            payload = heard.read(length)
            if kind == AUDIO:
                with self._changed:
                    self._audio += payload
                    self._changed.notify_all()


class StoppingServer(BareServer):
    """Welcomes one client, then stops."""

    def _play(self, loudspeaker: socket.socket) -> None:
        loudspeaker.sendall(frame(CONTROL, json.dumps({"type": "welcome"}).encode()))
        ended = {"event": "SessionEnded", "reason": SHUT_DOWN}
        loudspeaker.sendall(frame(EVENT, json.dumps(ended).encode()))
        loudspeaker.shutdown(socket.SHUT_RDWR)


def client_of(ports: list[int], shutdown: StopRequest, *flags: str) -> listen_and_play.Client:
    where = ("--send_port", str(ports[0]), "--recv_port", str(ports[1]))
    return listen_and_play.Client(
        listen_and_play.parse([*where, "--no_echo_cancellation", *flags]), shutdown
    )


def received(client: listen_and_play.Client) -> int:
    """The samples that wait to be played."""
    playback = client._playback
    with playback._lock:
        return sum(len(audio) for _, _, audio in playback._pieces)


@pytest.mark.parametrize(
    ("microphone", "loudspeaker", "rates"),
    [
        (Device("Mic", 1, rates=(16000,)), Device("Speaker", 0, 2, rates=(16000,)), (16000, 16000)),
        (Device("Mic", 1, rates=(44100,)), Device("Speaker", 0, 2, rates=(48000,)), (16000, 16000)),
        (
            Device("Mic", 2, rates=(48000,), channels=(2,)),
            Device("Speaker", 0, 2, rates=(44100,), channels=(2,)),
            (16000, 24000),
        ),
        (Device("Mic", 1, rates=(32000,)), Device("Speaker", 0, 2, rates=(32000,)), (48000, 48000)),
        (
            Device("Mic", 1, rates=(48000,), dtypes=("float32",)),
            Device("Speaker", 0, 8, rates=(48000,), channels=(8,), dtypes=("int32",)),
            (22050, 22050),
        ),
    ],
    ids=["as it is", "44.1 beside 48", "stereo, other rates", "32 kHz", "other formats"],
)
def test_a_minute_in_both_directions(
    microphone: Device,
    loudspeaker: Device,
    rates: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    microphone.sound = tone
    audio = plug_in(monkeypatch, microphone, loudspeaker)
    server, shutdown = BareServer(rates[1]), StopRequest()
    flags = ("--send_rate", str(rates[0]), "--recv_rate", str(rates[1]))
    client = client_of(server.ports, shutdown, *flags)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(client.run()), daemon=True)
    thread.start()
    audio.wait_for_streams(2)
    # audio of the microphone from before the welcome is dropped, so let all of the tone come first
    wait_for(lambda: received(client) == MINUTE * rates[1], "a minute of the tone")
    loudspeaker.played.clear()
    heard = np.empty(0, np.float32)
    for second in range(1, MINUTE + 1):
        audio.advance(1)
        heard = server.wait_for(int((second - 0.07) * rates[0]))
    shutdown.make()
    thread.join(60)
    server.close()
    assert codes == [130]
    assert (server.hello["send_rate"], server.hello["recv_rate"]) == rates
    expect_tone(heard, rates[0])
    assert abs(len(heard) - MINUTE * rates[0]) < 0.1 * rates[0]
    played, played_hz = loudspeaker.heard(), loudspeaker.rates[0]
    assert (played == played[:, :1]).all()
    expect_tone(played[:, 0], played_hz)
    assert abs(len(played) - MINUTE * played_hz) < 0.1 * played_hz


@pytest.mark.parametrize("devices", [[], [Device("Speaker", 0, 2)]], ids=["none", "no microphone"])
def test_no_microphone(devices: list[Device], monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice is for a client: it needs another machine, not a server."""
    plug_in(monkeypatch, *devices)
    with pytest.raises(
        NoAudioDevice, match=r"no microphone; connect one, or run listen_and_play\.py on"
    ):
        client_of([1, 2], StopRequest())


def test_a_device_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    microphone = Device("Mic", 1, rates=(44100,))
    audio = plug_in(monkeypatch, microphone, Device("Speaker", 0, 2, rates=(48000,)))
    server, shutdown = BareServer(RATE_HZ), StopRequest()
    client = client_of(server.ports, shutdown)
    told: list[str] = []

    def run() -> None:
        try:
            client.run()
        except UserError as error:
            told.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    audio.wait_for_streams(2)
    audio.unplug(microphone)
    thread.join(60)
    server.close()
    assert told == ["the microphone 'Mic' stopped; is it still plugged in?"]


def test_a_server_that_stops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = plug_in(monkeypatch, Device("Mic", 1), Device("Speaker", 0, 2))
    server, shutdown = StoppingServer(RATE_HZ), StopRequest()
    monkeypatch.setattr(shutdown.requested, "wait", lambda seconds: shutdown.make())
    client = client_of(server.ports, shutdown)
    thread = threading.Thread(target=client.run, daemon=True)
    thread.start()
    audio.wait_for_streams(2)
    thread.join(10)
    assert not thread.is_alive()
    server.close()
    assert f"{SHUT_DOWN}; trying again in 0." in capsys.readouterr().err


def test_a_device_that_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Device("Mic", 1), Device("Speaker", 0, 2)
    audio = plug_in(monkeypatch, *devices, Device("Spare", 0, 2))
    client = client_of([1, 2], StopRequest())
    devices[1].error = HOST_ERROR
    with pytest.raises(
        UserError, match=r"the loudspeaker 'Speaker' could not be .*_device 2 \(Spare\)$"
    ):
        client.run()
    assert audio.starts == sound_port.ATTEMPTS


@pytest.mark.parametrize("block", [1, 7, 441, 1024])
@pytest.mark.parametrize(("from_hz", "to_hz"), [(16000, 44100), (44100, 8000), (8000, 11025)])
def test_playback_gives_blocks_of_any_size(from_hz: int, to_hz: int, block: int) -> None:
    playback = Playback(from_hz, to_hz)
    sound = tone(np.arange(from_hz) / from_hz).astype(np.float32)
    playback.receive(WireFrame(FrameKind.AUDIO, to_pcm16(sound), 1, 0))
    blocks = [playback.next_block(block) for _ in range(to_hz // block)]
    assert {len(each) for each in blocks} == {block}
    expect_tone(np.concatenate(blocks), to_hz)
    assert abs(playback.played[1] - from_hz) <= block * from_hz / to_hz + 2
