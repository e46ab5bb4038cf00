"""SocketReceiver: the microphone's side of a TCP client."""

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from connections.wire import (
    FrameKind,
    FrameReader,
    WireError,
    WireFrame,
    decode_hello,
    may_be_hello,
)
from pipeline.session import Session
from utils.audio import from_pcm16

if TYPE_CHECKING:
    from connections.lobby import Lobby
    from connections.socket_sender import SocketSender

logger = logging.getLogger(__name__)

RAW_RATE_HZ = 16000
KEPT_BEFORE_PAIRING = 2 * RAW_RATE_HZ
"""Bytes that a client may send before its loudspeaker is there: one second of raw audio."""

READ_AT_ONCE = RAW_RATE_HZ
"""Bytes: half a second of raw audio, so that a pause in reading comes in time."""

PAUSE_AT_BACKLOG_S = 2.0
"""Who sends faster than it is said is slowed down by TCP, so that nothing is lost."""


class SocketReceiver(asyncio.BufferedProtocol):
    """Takes either raw int16 audio, or a hello and frames. Runs on the thread of the server."""

    def __init__(self, lobby: "Lobby") -> None:
        self.peer = ""
        self._lobby = lobby
        self._transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(READ_AT_ONCE)
        self._before = b""
        self._frames: FrameReader | None = None
        self._is_identified = False
        self._session: Session | None = None
        self._sender: SocketSender
        self._rate_hz = RAW_RATE_HZ
        self._paused = False
        self._has_ended = False

    def begin(self, session: Session, sender: "SocketSender", rate_hz: int) -> None:
        """The loudspeaker is there: feed this session, beginning with what has come already."""
        self._session, self._sender, self._rate_hz = session, sender, rate_hz
        session.audio.on_empty = self._on_caught_up
        if self._paused:
            self._on_caught_up()
        before, self._before = self._before, b""
        self._received(before)
        if self._has_ended:
            session.finish()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    # -- what asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.peer = transport.get_extra_info("peername")[0]
        self._lobby.arrived(self)

    def get_buffer(self, size: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        self._received(bytes(self._buffer[:size]))

    def _received(self, data: bytes) -> None:
        try:
            if not self._is_identified:
                self._identify(self._before + data)
            elif self._session is None:
                self._keep(data)
            elif self._frames is None:
                self._feed_raw(data)
            else:
                for frame in self._frames.feed(data):
                    self._on_frame(frame)
        except WireError as error:
            self._lobby.refuse(self, error)

    def eof_received(self) -> bool:
        """The client has said everything, and wants to hear the answer."""
        self._has_ended = True
        if self._session is not None:
            self._session.finish()
        return True  # keep the connection

    def connection_lost(self, error: Exception | None) -> None:
        self._lobby.left(self)

    # ----------------------------------------------------------------------------------------------

    def _identify(self, data: bytes) -> None:
        self._before = data
        if not may_be_hello(data):
            self._is_identified = True
            self._lobby.raw_microphone(self)
            return
        decoded = decode_hello(data)
        if decoded is not None:
            hello, self._before = decoded
            self._is_identified = True
            self._frames = FrameReader()
            self._lobby.microphone(self, hello)

    def _keep(self, data: bytes) -> None:
        """Its loudspeaker is not there yet: the client may go on for a while, then TCP holds it."""
        self._before += data
        if len(self._before) > KEPT_BEFORE_PAIRING:
            self._pause()

    def _feed_raw(self, data: bytes) -> None:
        data = self._before + data
        whole = len(data) - len(data) % 2  # half a sample waits for its other half
        self._before = data[whole:]
        self._feed(data[:whole])

    def _on_frame(self, frame: WireFrame) -> None:
        assert self._session is not None
        if frame.kind is FrameKind.AUDIO:
            if len(frame.payload) % 2:
                raise WireError("expected audio in whole samples of two bytes", "half_sample")
            self._feed(frame.payload)
        elif frame.kind is FrameKind.PLAYED:
            self._sender.on_played(frame.turn, frame.sample)
        elif frame.kind is FrameKind.CONTROL and frame.json().get("type") == "interrupt":
            self._session.interrupt("the client asked for it")
        else:
            raise WireError(f"expected audio, played or interrupt, got {frame.kind.name}")

    def _feed(self, data: bytes) -> None:
        assert self._session is not None
        self._session.feed(from_pcm16(data), self._rate_hz)
        if self._session.intake.backlog_s > PAUSE_AT_BACKLOG_S:
            self._pause()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _on_caught_up(self) -> None:
        """On the thread of the VAD: nothing waits for it any more."""
        if self._paused:
            self._paused = False
            self._loop.call_soon_threadsafe(self._transport.resume_reading)
