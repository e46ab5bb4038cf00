"""The cost of another server as the model (`--s2s realtime`): the way through the program, compared with
talking to that server directly."""

import base64
import contextlib
import json
import time
from collections.abc import Iterator

import numpy as np
from websockets.sync.client import ClientConnection, connect

from benchmarks.figures import median, percentile, table
from benchmarks.program import web_server
from pipeline.audio import from_pcm16, to_pcm16
from pipeline.messages import Samples
from testing.realtime_server import RATE_HZ, ScriptedConnection, ScriptedRealtimeServer

ROUNDS = 100
PACKET_S = 0.02
LOUD = 0.5
QUIET_PACKETS = 5
"""Silence between two sounds, so that none is taken for the one before."""

REPLY_MS = 60


class Way:
    """A client, by whatever way, of the server at `there`. Times are of one clock."""

    def __init__(
        self, client: ClientConnection, there: ScriptedConnection, rate_hz: int, *, raw: bool
    ) -> None:
        self._client = client
        self._there = there
        self._rate_hz = rate_hz
        self._raw = raw
        self._answers = 0
        self._heard = 0

    def up_ms(self) -> float:
        """Time from the client's packet with a sound to its arrival at the server."""
        for _ in range(QUIET_PACKETS):
            self._send(0.0)
            time.sleep(PACKET_S)
        self._there.so_far()  # the rest of the sound before
        sent_at = time.perf_counter()
        self._send(LOUD)
        while not self._is_loud(self._there.until("input_audio_buffer.append")["audio"]):
            pass
        return 1000 * (time.perf_counter() - sent_at)

    def down_ms(self) -> float:
        """Time from the server's answer to the first audio at the client."""
        self._answers += 1
        response = f"resp_{self._answers}"
        self._there.begin(response)
        sent_at = time.perf_counter()
        self._there.say(response, REPLY_MS, "Text.")
        self._there.end(response)
        while not self._is_audio(self._client.recv()):
            pass
        heard_ms = 1000 * (time.perf_counter() - sent_at)
        while not self._is_end(self._client.recv()):
            pass
        return heard_ms

    def _send(self, level: float) -> None:
        packet = to_pcm16(np.full(int(self._rate_hz * PACKET_S), level, np.float32))
        if self._raw:
            self._client.send(packet)
        else:
            audio = base64.b64encode(packet).decode()
            self._client.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))

    def _is_loud(self, audio: str) -> bool:
        return bool(np.abs(_decoded(audio)).max() > LOUD / 2)

    def _is_audio(self, message: str | bytes) -> bool:
        if self._raw:
            return isinstance(message, bytes)
        return _type_of(message) == "response.output_audio.delta"

    def _is_end(self, message: str | bytes) -> bool:
        if self._raw:
            return isinstance(message, str) and json.loads(message).get("event") == "TurnDone"
        return _type_of(message) == "response.done"


def _type_of(message: str | bytes) -> str:
    return str(json.loads(message)["type"])


def _decoded(audio: str) -> Samples:
    return from_pcm16(base64.b64decode(audio))


@contextlib.contextmanager
def directly(server: ScriptedRealtimeServer) -> Iterator[Way]:
    """A client of the server itself."""
    with connect(server.url, compression=None) as client:
        client.recv()
        client.send(json.dumps({"type": "session.update", "session": {}}))
        yield Way(client, server.accept(), RATE_HZ, raw=False)


@contextlib.contextmanager
def through_realtime(server: ScriptedRealtimeServer, port: int) -> Iterator[Way]:
    """A client of the program, by the same protocol."""
    with connect(f"ws://127.0.0.1:{port}/v1/realtime", compression=None) as client:
        client.recv()
        yield Way(client, server.accept(), RATE_HZ, raw=False)


@contextlib.contextmanager
def through_websocket(server: ScriptedRealtimeServer, port: int, rate_hz: int) -> Iterator[Way]:
    """A client of the program, by the protocol of the page."""
    url = f"ws://127.0.0.1:{port}/ws?rate={rate_hz}&duplex=full"
    with connect(url, compression=None) as client:
        client.recv()
        yield Way(client, server.accept(), rate_hz, raw=True)


def main(rounds: int = ROUNDS) -> str:
    """Run the benchmark and return its table."""
    with (
        ScriptedRealtimeServer() as server,
        web_server("--s2s", "realtime", "--s2s_base_url", server.url) as port,
        contextlib.ExitStack() as stack,
    ):
        ways = {
            "directly, 24 kHz": stack.enter_context(directly(server)),
            "through the program, Realtime, 24 kHz": stack.enter_context(through_realtime(server, port)),
            "through the program, page, 24 kHz": stack.enter_context(
                through_websocket(server, port, 24000)
            ),
            "through the program, page, 16 kHz": stack.enter_context(
                through_websocket(server, port, 16000)
            ),
        }
        up: dict[str, list[float]] = {name: [] for name in ways}
        down: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):  # side by side: a busy moment of the machine meets all of them
            for name, way in ways.items():
                up[name].append(way.up_ms())
                down[name].append(way.down_ms())
    straight_up, straight_down = (median(times["directly, 24 kHz"]) for times in (up, down))
    rows = [
        [
            name,
            *(median(up[name]), percentile(up[name], 0.95), median(up[name]) - straight_up),
            *(median(down[name]), percentile(down[name], 0.95), median(down[name]) - straight_down),
        ]
        for name in ways
    ]
    header = ["", "to the server, median ms", "p95", "more", "from the server, median ms", "p95", "more"]
    return table("Another server as the model (aim: under 10 ms more each way)", header, rows)


if __name__ == "__main__":
    print(main())
