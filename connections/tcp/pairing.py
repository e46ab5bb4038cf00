"""Pairing: joins the two connections of a TCP client into one session."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from connections.access.credentials import Credentials
from connections.base import beginning_session, tell_loop
from connections.tcp.receiver import SocketReceiver
from connections.tcp.sender import SocketSender
from connections.tcp.wire import RAW_RATE_HZ, Hello
from pipeline.errors import ProtocolError
from pipeline.session import SHUT_DOWN, Session

logger = logging.getLogger(__name__)

HELLO_S = 0.3
"""Our client sends its hello at once; a client that has not begun to by then is a raw one. A lost packet
is sent again after 0.2 s. Raw clients always wait this long, so that they are paired in the order in
which they connected."""

PAIRING_S = 10.0
"""Time for the hello and for the other connection; then the client is refused."""

LINGER_S = 1.0
"""The shorter wait for a microphone that will send no more: its client may have left altogether."""

MAX_SESSIONS = 100
"""A session has six threads; beyond this many, clients are refused."""

Side: TypeAlias = SocketReceiver | SocketSender
Begin: TypeAlias = Callable[[SocketSender, str], Session]


class Pairing:
    """Pairs microphones with loudspeakers and begins their sessions. Runs on the thread of the server.

    Our clients are paired by the session that they name. Raw clients are paired by address, in the order
    in which they connect; one microphone and one loudspeaker may wait at each address, others are
    refused. If a token is set, raw clients are refused, since they cannot send it.
    """

    def __init__(self, begin: Begin, credentials: Credentials) -> None:
        self.sessions: dict[Session, tuple[SocketReceiver, SocketSender]] = {}
        self._begin = begin
        self._credentials = credentials
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[tuple[type[Side], str], Side] = {}
        self._deadlines: dict[Side, asyncio.TimerHandle] = {}

    def arrived(self, side: Side) -> None:
        """Accept a connection, on which nothing has been sent yet."""
        self._refuse_after(PAIRING_S, side)
        self._loop.call_later(HELLO_S, self._pair_if_raw, side)

    def hello(self, side: Side, hello: Hello) -> None:
        """Pair a connection that sent a hello: it belongs to one of our clients."""
        if self._credentials.grant(hello.token) is not None:
            self._pair(side, f"client {hello.session}", hello)
        elif hello.token:
            self.refuse(side, ProtocolError("the token is wrong", "unauthorized"))
        else:
            self.refuse(side, ProtocolError("expected a token (--token, or S2S_TOKEN)", "unauthorized"))

    def ended(self, side: Side) -> None:
        """Shorten the wait for a client that will send no more audio; it may still want the reply."""
        if side in self._deadlines:
            self._refuse_after(LINGER_S, side)

    def refuse(self, side: Side, error: ProtocolError) -> None:
        """Hang up on a client and tell it why; its session, if it has one, ends."""
        facts = {"peer": side.peer, "code": error.code}
        logger.warning("refused: %s", error, extra=facts)  # a microphone cannot be told
        if isinstance(side, SocketSender):
            side.refuse(error)
        else:
            for receiver, sender in self.sessions.values():
                if receiver is side:
                    sender.refuse(error)
            side.close()

    def left(self, side: Side) -> None:
        """End the session of a connection that is gone, and only that session."""
        self._forget(side)
        for session, pair in list(self.sessions.items()):
            if side in pair:
                session.close("the client left")
                for half in pair:
                    half.close()

    def close(self) -> None:
        """End every session, and hang up on clients that wait."""
        for session in self.sessions:
            session.close(SHUT_DOWN)
        for side in list(self._deadlines):
            side.close()

    def abort(self) -> None:
        """Drop the connections of sessions that did not end."""
        for pair in self.sessions.values():
            for half in pair:
                half.abort()

    # ----------------------------------------------------------------------------------------------

    def _refuse_after(self, seconds: float, side: Side) -> None:
        if side in self._deadlines:
            self._deadlines[side].cancel()
        too_late = ProtocolError(f"expected both connections within {seconds:.0f} s", "timeout")
        self._deadlines[side] = self._loop.call_later(seconds, self.refuse, side, too_late)

    def _pair_if_raw(self, side: Side) -> None:
        if side not in self._deadlines or side.has_begun_hello:
            return
        if self._credentials.wants_token:
            self.refuse(side, ProtocolError("expected a hello with a token", "unauthorized"))
        else:
            self._pair(side, f"raw client at {side.peer}", None)

    def _pair(self, side: Side, key: str, hello: Hello | None) -> None:
        other_type = SocketSender if isinstance(side, SocketReceiver) else SocketReceiver
        other = self._waiting.pop((other_type, key), None)
        if other is None:
            self._wait(side, key)
        elif len(self.sessions) >= MAX_SESSIONS:
            for half in (side, other):
                error = ProtocolError(f"the server is full: {MAX_SESSIONS} sessions are running", "busy")
                self.refuse(half, error)
        elif isinstance(side, SocketReceiver):
            assert isinstance(other, SocketSender)
            self._join(side, other, hello)
        else:
            assert isinstance(other, SocketReceiver)
            self._join(other, side, hello)

    def _wait(self, side: Side, key: str) -> None:
        ahead = self._waiting.get((type(side), key))
        if ahead is not None and not ahead.has_ended:
            self.refuse(
                side, ProtocolError("another connection to this port is already waiting", "busy")
            )
            return
        if ahead is not None:
            ahead.close()
        self._waiting[type(side), key] = side

    def _join(self, microphone: SocketReceiver, loudspeaker: SocketSender, hello: Hello | None) -> None:
        for side in (microphone, loudspeaker):
            self._forget(side)
        try:
            with beginning_session():
                session = self._begin(loudspeaker, microphone.peer)
        except ProtocolError as error:
            for half in (microphone, loudspeaker):
                self.refuse(half, error)
            return
        self.sessions[session] = (microphone, loudspeaker)
        session.on_closed = lambda: tell_loop(self._loop, self._on_closed, session)
        loudspeaker.begin(session)
        microphone.begin(session, loudspeaker, hello.send_rate if hello else RAW_RATE_HZ)

    def _on_closed(self, session: Session) -> None:
        for half in self.sessions.pop(session, ()):
            half.close()

    def _forget(self, side: Side) -> None:
        deadline = self._deadlines.pop(side, None)
        if deadline is not None:
            deadline.cancel()
        for key, waiting in list(self._waiting.items()):
            if waiting is side:
                del self._waiting[key]
