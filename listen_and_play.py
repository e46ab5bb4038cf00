"""Client of `--mode socket`: the microphone and loudspeaker of a machine that runs no models."""

from utils.launch import prepare_launch

if __name__ == "__main__":
    prepare_launch("listen_and_play.py")

import argparse
import contextlib
import os
import queue
import random
import socket
import sys
import threading
import uuid
from typing import Any

from command_line.help import HelpFormatter, ShowVersion
from connections.local.echo import choose_echo_canceller
from connections.local.sound_end import SoundEnd
from connections.local.sound_port import SoundPort
from connections.tcp.playback import Playback
from connections.tcp.wire import (
    FrameKind,
    FrameReader,
    Hello,
    WireFrame,
    encode_hello,
)
from listeners.printable import printable
from listeners.sentences import Sentences
from pipeline.audio import RATES_HZ, clean, to_pcm16
from pipeline.errors import ProtocolError, UserError
from pipeline.messages import Samples
from pipeline.resampler import Resampler
from utils.shutdown import Shutdown, StopRequest
from utils.streams import tell

CONNECT_S = 5.0
FIRST_BACK_OFF_S = 0.5
MAX_BACK_OFF_S = 8.0
MICROPHONE_BLOCKS = 64
"""Blocks of audio that may wait for the network, two seconds; older audio is of no use."""

_LABELS = {"Transcript": "you", "ErrorEvent": "error", "NoticeGiven": "note"}

OTHER_MACHINE = (
    "run listen_and_play.py on a machine that has one; or let the server show a web page, which uses "
    "the browser's microphone and loudspeaker: python s2s_pipeline.py --mode websocket"
)
"""Advice for a machine without a microphone or a loudspeaker."""


class Refused(UserError):
    """The server has refused this client."""


class Client:
    """A conversation with a server, which begins again whenever the connection is lost."""

    def __init__(self, arguments: argparse.Namespace, shutdown: StopRequest) -> None:
        self._arguments = arguments
        self._shutdown = shutdown
        self._microphone: queue.Queue[bytes] = queue.Queue(MICROPHONE_BLOCKS)
        self._port = SoundPort(
            SoundEnd("input", arguments.input_device, arguments.send_rate, OTHER_MACHINE),
            SoundEnd("output", arguments.output_device, arguments.recv_rate, OTHER_MACHINE),
            arguments.list_play_chunk_size,
            shutdown.requested,
        )
        heard_hz, self._played_hz = self._port.microphone.rate_hz, self._port.loudspeaker.rate_hz
        wants_echo_cancelled = arguments.echo_cancellation and not arguments.headphones
        self._echo = choose_echo_canceller(heard_hz, self._played_hz) if wants_echo_cancelled else None
        self._resampler = Resampler(heard_hz, arguments.send_rate)
        self._playback = Playback(arguments.recv_rate, self._played_hz)
        self._sentences = Sentences()
        self._stopped = ""
        self._ending = ""
        """The reason of the server for the end of the session, if it gave one."""
        self._connection: Connection | None = None
        self._back_off_s = FIRST_BACK_OFF_S

    def run(self) -> int:
        """Talk until Ctrl-C, or until a device goes away."""
        self._shutdown.on_stop(self._hang_up)
        with self._port.open(self._hear, self._play, self._on_stop):
            while not self._shutdown.requested.is_set():
                try:
                    self._talk()
                    problem = self._ending or "the server hung up"
                except (OSError, ProtocolError) as error:
                    problem = f"no connection to {self._arguments.host}: {error}"
                if not self._shutdown.requested.is_set():
                    tell(f"{problem}; trying again in {self._back_off_s:.1f} s")
                    self._shutdown.requested.wait(self._back_off_s * random.uniform(1, 1.3))
                    self._back_off_s = min(2 * self._back_off_s, MAX_BACK_OFF_S)
        if self._stopped:
            raise UserError(f"{self._stopped}; is it still plugged in?")
        if sys.stderr.isatty():
            print(file=sys.stderr)  # below the ^C that the terminal shows
        return 130

    def _talk(self) -> None:
        """Run one connection until it ends. Raises `Refused`."""
        arguments = self._arguments
        self._playback = Playback(arguments.recv_rate, self._played_hz)
        self._ending = ""
        hello = Hello(
            session=uuid.uuid4().hex,
            token=arguments.token or os.environ.get("S2S_TOKEN", ""),
            send_rate=arguments.send_rate,
            recv_rate=arguments.recv_rate,
            full_duplex=arguments.headphones or self._echo is not None,
            buffer_ms=round(1000 * arguments.list_play_chunk_size / arguments.recv_rate),
        )
        with Connection(arguments.host, arguments.send_port, arguments.recv_port, hello) as connection:
            self._connection = connection
            if self._shutdown.requested.is_set():
                return
            sender = threading.Thread(target=self._send, args=(connection,), daemon=True)
            for frame in connection.frames():
                if frame.kind is FrameKind.AUDIO:
                    self._playback.receive(frame)
                elif frame.kind is FrameKind.EVENT:
                    self._show(frame.json())
                elif frame.kind is FrameKind.CONTROL and not sender.is_alive():
                    expect_welcome(frame.json())
                    self._back_off_s = FIRST_BACK_OFF_S
                    tell(f"connected to {arguments.host}; speak, Ctrl-C ends")
                    sender.start()
                else:
                    self._handle(frame)
            self._connection = None

    def _handle(self, frame: WireFrame) -> None:
        request = frame.json()
        match request.get("type"):
            case "flush":
                self._playback.flush(frame.turn, frame.sample)
            case "duck":
                self._playback.duck(float(request["gain"]))
            case "refused":
                raise Refused(f"the server refused the connection: {request.get('text')}")

    def _send(self, connection: "Connection") -> None:
        """Send the microphone's audio, and reports of what was played."""
        while not self._microphone.empty():
            self._microphone.get_nowait()
        sample, reported = 0, (0, 0)
        with contextlib.suppress(OSError):
            while connection is self._connection:
                block = self._microphone.get()
                connection.send(WireFrame(FrameKind.AUDIO, block, 0, sample))
                sample += len(block) // 2
                if self._playback.played != reported:
                    reported = self._playback.played
                    connection.send(WireFrame(FrameKind.PLAYED, b"", *reported))

    def _show(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "ReplyText", "text": text}:
                self._print("machine", *self._sentences.feed(text))
            case {"event": "TurnDone"}:
                self._print("machine", *self._sentences.flush())
            case {"event": "SessionEnded", "reason": reason}:
                self._ending = reason
            case {"event": "Transcript" | "ErrorEvent" | "NoticeGiven" as kind, "text": text}:
                self._print("machine", *self._sentences.flush())
                self._print(_LABELS[kind], text)

    def _print(self, label: str, *texts: str) -> None:
        for text in texts:
            print(f"{label:>7}: {printable(text)}", flush=True)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.shut_down()

    # -- the sound card, on its threads; must not wait ---------------------------------------------

    def _hear(self, audio: Samples, captured_at: float | None) -> None:
        if self._echo is not None:
            audio = self._echo.cancel(audio)
        block = to_pcm16(clean(self._resampler.feed(audio)))
        with contextlib.suppress(queue.Full):
            self._microphone.put_nowait(block)

    def _play(self, samples: int, ahead_s: float) -> Samples:
        block = self._playback.next_block(samples)
        if self._echo is not None:
            self._echo.played(block)
        return block

    def _on_stop(self, sentence: str) -> None:
        if not self._shutdown.requested.is_set():
            self._stopped = sentence
            self._shutdown.make()


class Connection:
    """The two sockets of one session."""

    def __init__(self, host: str, microphone_port: int, loudspeaker_port: int, hello: Hello) -> None:
        self._microphone = socket.create_connection((host, microphone_port), CONNECT_S)
        try:
            self._loudspeaker = socket.create_connection((host, loudspeaker_port), CONNECT_S)
        except OSError:
            self._microphone.close()
            raise
        for connection in (self._microphone, self._loudspeaker):
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(encode_hello(hello))

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.shut_down()
        self._microphone.close()
        self._loudspeaker.close()

    def frames(self) -> Any:
        """The frames of the server, until it hangs up."""
        reader = FrameReader()
        while data := self._loudspeaker.recv(65536):
            yield from reader.feed(data)

    def send(self, frame: WireFrame) -> None:
        """Send a frame to the microphone's port."""
        self._microphone.sendall(frame.encode())

    def shut_down(self) -> None:
        """Shut both sockets down, which wakes a thread that waits on one. Called from any thread."""
        for connection in (self._microphone, self._loudspeaker):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def expect_welcome(request: dict[str, Any]) -> None:
    """Check the first control frame of the server. Raises `Refused`, or `ProtocolError`."""
    if request.get("type") == "refused":
        raise Refused(f"the server refused the connection: {request.get('text')}")
    if request.get("type") != "welcome":
        raise ProtocolError(f"expected a welcome, got {request.get('type')!r}")


def parse(argv: list[str]) -> argparse.Namespace:
    """Parse the flags, with plain argparse: this client needs no machine learning library."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=HelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--version", action=ShowVersion, nargs=0, help="show the version and exit")
    add("--host", default="localhost", help="machine on which the server runs")
    add("--send_port", type=int, default=12345, help="the server's port for the microphone")
    add("--recv_port", type=int, default=12346, help="the server's port for the loudspeaker")
    add("--send_rate", type=int, default=16000, help="sample rate at which audio is sent, in Hz")
    add("--recv_rate", type=int, default=16000, help="sample rate at which audio is received, in Hz")
    add("--list_play_chunk_size", type=int, default=1024, help="samples in a block of audio")
    add("--input_device", help="microphone: its number or part of its name")
    add("--output_device", help="loudspeaker: its number or part of its name")
    add(
        "--headphones",
        action="store_true",
        help="you wear headphones, so the microphone does not pick up the reply and you can interrupt "
        "at any time",
    )
    add(
        "--no_echo_cancellation",
        action="store_false",
        dest="echo_cancellation",
        help="do not remove the reply from the microphone's audio; without headphones, the server then "
        "does not listen while it speaks",
    )
    add("--token", help="the server's token, if it requires one; or set S2S_TOKEN")
    arguments = parser.parse_args(argv)
    for name in ("send_port", "recv_port"):
        if not 1 <= getattr(arguments, name) <= 65535:
            raise UserError(f"--{name}: expected a port from 1 to 65535, got {getattr(arguments, name)}")
    for name in ("send_rate", "recv_rate"):
        if getattr(arguments, name) not in RATES_HZ:
            raise UserError(f"--{name}: expected 8000 to 48000 Hz, got {getattr(arguments, name)}")
    if arguments.list_play_chunk_size < 1:
        raise UserError(
            f"--list_play_chunk_size: expected 1 or more, got {arguments.list_play_chunk_size}"
        )
    return arguments


def main(argv: list[str]) -> int:
    """Run the client. Exit code 2: a mistake, explained; 3: no sound device; 130: Ctrl-C."""
    try:
        return Client(parse(argv), Shutdown()).run()
    except UserError as error:
        tell(str(error), "listen_and_play.py: ")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
