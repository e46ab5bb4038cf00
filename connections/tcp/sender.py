"""SocketSender: the loudspeaker's side of a TCP client."""

import asyncio
import socket
from typing import cast

from connections.base import tell_loop
from connections.outbox import Outbox
from connections.paced_sink import PacedSink
from connections.remote_pace import FRAMES_PER_S, LEAD_MS
from connections.tcp.side_listener import SideListener
from connections.tcp.wire import (
    RAW_RATE_HZ,
    FrameKind,
    Hello,
    WireFrame,
    control,
    decode_hello,
    may_be_hello,
)
from pipeline.audio import clean, to_pcm16
from pipeline.errors import ProtocolError
from pipeline.event_json import event_json
from pipeline.mailbox import Mailbox
from pipeline.session import Session
from pipeline.sink import Frame

RAW_FRAME_SAMPLES = 512
"""1,024 bytes, the size that raw clients have always received."""

RAW_LEAD_MS = 100
"""A raw client cannot be told to flush or to buffer, so it gets some audio in advance."""

KERNEL_BUFFER_S = 0.2
"""Audio that the kernel may hold for a client that does not read. It cannot be recalled."""


class SocketSender(PacedSink, asyncio.Protocol):
    """The sink of a session: sends raw int16 audio, or frames with audio, control and events.

    Playout calls it from its own thread; bytes are written on the thread of the server.
    """

    has_ended = False
    """Always false: a loudspeaker whose sending side ends is closed, and thereby gone."""

    def __init__(self, pairing: "SideListener[SocketSender]", full_duplex: bool = False) -> None:
        self._set_pace(RAW_RATE_HZ, RAW_FRAME_SAMPLES, RAW_LEAD_MS, RAW_LEAD_MS)
        self.peer = ""
        self.full_duplex = full_duplex
        self._pairing = pairing
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._before = b""
        self._hello: Hello | None = None
        self._session: Session | None = None
        self._events: Mailbox | None = None
        self._outbox: Outbox[bytes] = Outbox(on_items=self._write_out)
        self._stalled = False

    @property
    def has_begun_hello(self) -> bool:
        """True once a hello has begun to arrive."""
        return bool(self._before)

    def prepare(self, hello: Hello) -> None:
        """Follow the client's hello: its protocol has frames, and it names the rate."""
        self._hello = hello
        self.full_duplex = hello.full_duplex
        self._set_pace(hello.recv_rate, hello.recv_rate // FRAMES_PER_S, LEAD_MS, hello.buffer_ms)
        kernel_buffer = int(2 * self.rate_hz * KERNEL_BUFFER_S)
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, kernel_buffer)

    def begin(self, session: Session) -> None:
        """Serve this session: the client's microphone is connected too."""
        self._session = session
        if self._hello is not None:
            self._write(control("welcome", session=self._hello.session, rate=self.rate_hz))
            self._events = session.events.subscribe(on_mail=self._on_mail)

    def refuse(self, error: ProtocolError) -> None:
        """Tell the client why, if its protocol can, and hang up."""
        if self._hello is not None:
            self._write(control("refused", code=error.code, text=str(error)))
        self.close()

    def close(self) -> None:
        """Hang up, without waiting for a client that does not read."""
        if self._stalled:
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once, even in the middle of sending."""
        self._transport.abort()

    # -- the sink, on the thread of the playout ----------------------------------------------------

    @property
    def takes_more(self) -> bool:
        """True while the client reads."""
        return not self._stalled

    def play(self, frame: Frame) -> None:
        """Send a frame."""
        payload = to_pcm16(clean(frame.samples))
        if self._hello is not None:
            payload = WireFrame(FrameKind.AUDIO, payload, frame.turn, frame.sample).encode()
        self._outbox.put(payload)
        self._pace.sent(frame)

    def flush(self, turn: int, sample: int) -> bool:
        """Tell the client to discard the audio that it has not played. A raw client cannot be told."""
        if self._hello is None:
            return False
        self._outbox.take()
        self._pace.flushed()
        tell_loop(self._loop, self._write, control("flush", turn, sample))
        return True

    def duck(self, turn: int, gain: float) -> bool:
        """Tell the client to play its buffered audio more quietly."""
        if self._hello is None:
            return False
        tell_loop(self._loop, self._write, control("duck", turn, gain=gain))
        return True

    # -- what the client reports, on the thread of the server --------------------------------------

    def on_played(self, turn: int, sample: int) -> None:
        """The client has played `turn` up to `sample`."""
        self._pace.played(turn, sample)
        if self._session is not None:
            self._session.playout.played(turn, sample)

    # -- what asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)
        self.peer = transport.get_extra_info("peername")[0]
        self._pairing.arrived(self)

    def data_received(self, data: bytes) -> None:
        try:
            if self._hello is not None or self._session is not None:
                raise ProtocolError(
                    "expected nothing but a hello, at the start, on the loudspeaker's port"
                )
            self._before += data
            if not may_be_hello(self._before):
                raise ProtocolError("expected either a hello or nothing on the loudspeaker's port")
            decoded = decode_hello(self._before)
            if decoded is not None:
                self.prepare(decoded[0])
                self._pairing.hello(self, decoded[0])
        except ProtocolError as error:
            self._pairing.refuse(self, error)

    def pause_writing(self) -> None:
        self._stalled = True

    def resume_writing(self) -> None:
        self._stalled = False
        self._send_events()
        if self._session is not None:
            self._session.playout.wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._pairing.left(self)

    # ----------------------------------------------------------------------------------------------

    def _write_out(self) -> None:
        frames = self._outbox.take()
        if frames and not self._transport.is_closing():
            self._transport.write(b"".join(frames))

    def _write(self, frame: WireFrame) -> None:
        if not self._transport.is_closing():
            self._transport.write(frame.encode())

    def _on_mail(self) -> None:
        tell_loop(self._loop, self._send_events)

    def _send_events(self) -> None:
        """Pass on what happened, as long as the client reads."""
        while self._events is not None and not self._stalled:
            event = self._events.fetch(0)
            if event is None:
                return
            self._write(WireFrame(FrameKind.EVENT, event_json(event).encode()))
