"""SocketReceiver: the microphone's side of a TCP client."""

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from connections.base import tell_loop
from connections.tcp.side_listener import SideListener
from connections.tcp.wire import (
    MAGIC,
    RAW_RATE_HZ,
    FrameKind,
    FrameReader,
    WireFrame,
    decode_hello,
    may_be_hello,
)
from pipeline.audio import from_pcm16
from pipeline.errors import ProtocolError
from pipeline.session import Session

if TYPE_CHECKING:
    from connections.tcp.sender import SocketSender

logger = logging.getLogger(__name__)

KEPT_BEFORE_PAIRING = 2 * RAW_RATE_HZ
"""Bytes that a client may send before its loudspeaker is connected: one second of raw audio."""

READ_AT_ONCE = RAW_RATE_HZ
"""Bytes: half a second of raw audio, so that a pause in reading takes effect in time."""

PAUSE_AT_BACKLOG_S = 2.0
"""Beyond this backlog nothing is read: TCP slows down a client that sends faster than real time, and no
audio is lost."""


class SocketReceiver(asyncio.BufferedProtocol):
    """Receives either raw int16 audio, or a hello and frames. Runs on the thread of the server."""

    def __init__(self, pairing: "SideListener[SocketReceiver]") -> None:
        self.peer = ""
        self.has_ended = False
        """True once the client will send no more audio."""
        self._pairing = pairing
        self._transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(READ_AT_ONCE)
        self._before = b""
        self._frames: FrameReader | None = None
        self._session: Session | None = None
        self._sender: SocketSender
        self._rate_hz = RAW_RATE_HZ
        self._paused = False

    @property
    def has_begun_hello(self) -> bool:
        """True once a hello has begun to arrive."""
        return self._frames is not None or (bool(self._before) and may_be_hello(self._before))

    def begin(self, session: Session, sender: "SocketSender", rate_hz: int) -> None:
        """Feed this session, beginning with the audio that has already arrived."""
        self._session, self._sender, self._rate_hz = session, sender, rate_hz
        session.audio.on_empty = self._on_caught_up
        if self._paused:
            self._resume()
        before, self._before = self._before, b""
        self._received(before)
        if self.has_ended:
            session.finish()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def abort(self) -> None:
        """Hang up at once. Nothing is ever sent on this connection, so nothing is lost."""
        self._transport.abort()

    # -- what asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.peer = transport.get_extra_info("peername")[0]
        self._pairing.arrived(self)

    def get_buffer(self, size: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        self._received(bytes(self._buffer[:size]))

    def eof_received(self) -> bool:
        """The client will send no more audio, and may still want to hear the reply."""
        self.has_ended = True
        if self._session is not None:
            self._session.finish()
        else:
            self._pairing.ended(self)
        return True  # keep the connection

    def connection_lost(self, error: Exception | None) -> None:
        self._pairing.left(self)

    # ----------------------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        try:
            if self._session is None:
                self._wait_with(self._before + data)
            elif self._frames is None:
                self._feed_raw(self._before + data)
            else:
                for frame in self._frames.feed(data):
                    self._on_frame(frame)
        except ProtocolError as error:
            self._pairing.refuse(self, error)

    def _wait_with(self, data: bytes) -> None:
        """Keep data until the loudspeaker is connected; after a while, let TCP hold the client back."""
        self._before = data
        if self._frames is None and may_be_hello(data):
            decoded = decode_hello(data)
            if decoded is not None:
                hello, self._before = decoded
                self._frames = FrameReader()
                self._pairing.hello(self, hello)
        elif len(data) > KEPT_BEFORE_PAIRING:
            self._pause()

    def _feed_raw(self, data: bytes) -> None:
        if data.startswith(MAGIC):
            raise ProtocolError("expected the hello sooner", "timeout")
        whole = len(data) - len(data) % 2  # half a sample waits for its other half
        self._before = data[whole:]
        self._feed(data[:whole])

    def _on_frame(self, frame: WireFrame) -> None:
        assert self._session is not None
        if frame.kind is FrameKind.AUDIO:
            if len(frame.payload) % 2:
                raise ProtocolError("expected audio in whole samples of two bytes", "half_sample")
            self._feed(frame.payload)
        elif frame.kind is FrameKind.PLAYED:
            self._sender.on_played(frame.turn, frame.sample)
        elif frame.kind is FrameKind.CONTROL and frame.json().get("type") == "interrupt":
            self._session.interrupt("the client asked for it")
        else:
            raise ProtocolError(f"expected audio, played or interrupt, got {frame.kind.name}")

    def _feed(self, data: bytes) -> None:
        assert self._session is not None
        self._session.feed(from_pcm16(data), self._rate_hz)
        if self._session.intake.backlog_s > PAUSE_AT_BACKLOG_S:
            self._pause()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()
            if self._session is not None and not len(self._session.audio):
                self._resume()  # the VAD caught up meanwhile, and will not call back again

    def _resume(self) -> None:
        self._paused = False
        self._transport.resume_reading()

    def _on_caught_up(self) -> None:
        """Called on the thread of the VAD, when no audio is waiting for it anymore."""
        if self._paused:
            tell_loop(self._loop, self._resume)
