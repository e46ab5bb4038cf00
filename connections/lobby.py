"""Lobby: where the two connections of a TCP client find each other."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from typing import TypeAlias

from connections.socket_receiver import RAW_RATE_HZ, SocketReceiver
from connections.socket_sender import SocketSender
from connections.wire import Hello, WireError
from pipeline.session import Session

logger = logging.getLogger(__name__)

PAIRING_S = 10.0
"""Who has not said who they are, or whose other half has not come, is sent away."""

MOST_SESSIONS = 100
"""A session has five threads; more clients than this are refused."""

Side: TypeAlias = SocketReceiver | SocketSender
Begin: TypeAlias = Callable[[SocketSender, str], Session]


class Lobby:
    """Pairs microphones with loudspeakers and begins their sessions. Runs on the thread of the server.

    Our clients are paired by the session they name. Raw clients are paired by address, in the order in
    which they come; of each side one may wait, others are refused. Where a token is set, raw clients,
    which cannot say it, are refused.
    """

    def __init__(self, begin: Begin, token: str | None) -> None:
        self.sessions: dict[Session, tuple[SocketReceiver, SocketSender]] = {}
        self._begin = begin
        self._token = token
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[tuple[type[Side], str], Side] = {}
        self._deadlines: dict[Side, asyncio.TimerHandle] = {}

    def arrived(self, side: Side) -> None:
        """Somebody connected and has not said anything yet."""
        too_late = WireError(f"expected both connections within {PAIRING_S:.0f} s", "timeout")
        self._deadlines[side] = self._loop.call_later(PAIRING_S, self.refuse, side, too_late)

    def raw_microphone(self, microphone: SocketReceiver) -> None:
        """It sends audio without a hello."""
        self._raw(microphone)

    def raw_loudspeaker(self, loudspeaker: SocketSender) -> None:
        """It has said nothing."""
        self._raw(loudspeaker)

    def microphone(self, microphone: SocketReceiver, hello: Hello) -> None:
        """One of our clients, with its microphone."""
        self._ours(microphone, hello)

    def loudspeaker(self, loudspeaker: SocketSender, hello: Hello) -> None:
        """One of our clients, with its loudspeaker."""
        self._ours(loudspeaker, hello)

    def refuse(self, side: Side, error: WireError) -> None:
        """Send somebody away; a session that they have ends."""
        logger.warning("refused %s: %s", side.peer, error)
        if isinstance(side, SocketSender):
            side.refuse(error)
        else:
            for receiver, sender in self.sessions.values():
                if receiver is side:
                    sender.refuse(error)
            side.close()

    def left(self, side: Side) -> None:
        """A connection is gone; with it goes its session, and nobody else's."""
        self._forget(side)
        for session, pair in list(self.sessions.items()):
            if side in pair:
                session.close("the client left")
                for half in pair:
                    half.close()

    def close(self) -> None:
        """End every session and hang up on who waits."""
        for session in self.sessions:
            session.close("the server stops")
        for side in list(self._deadlines):
            side.close()

    # ----------------------------------------------------------------------------------------------

    def _raw(self, side: Side) -> None:
        if self._token is not None:
            self.refuse(side, WireError("expected a hello with a token", "unauthorized"))
        else:
            self._pair(side, f"raw client at {side.peer}", None)

    def _ours(self, side: Side, hello: Hello) -> None:
        known = hmac.compare_digest(hello.token.encode(), (self._token or "").encode())
        if self._token is not None and not known:
            self.refuse(side, WireError("the token is wrong", "unauthorized"))
        else:
            self._pair(side, f"client {hello.session}", hello)

    def _pair(self, side: Side, key: str, hello: Hello | None) -> None:
        other_type = SocketSender if isinstance(side, SocketReceiver) else SocketReceiver
        other = self._waiting.pop((other_type, key), None)
        if other is None:
            if (type(side), key) in self._waiting:
                self.refuse(side, WireError("another connection like this one waits already", "busy"))
            else:
                self._waiting[type(side), key] = side
        elif len(self.sessions) >= MOST_SESSIONS:
            for half in (side, other):
                self.refuse(half, WireError(f"{MOST_SESSIONS} sessions are running", "busy"))
        else:
            self._forget(other)
            self._forget(side)
            microphone, loudspeaker = (
                (side, other) if isinstance(side, SocketReceiver) else (other, side)
            )
            assert isinstance(microphone, SocketReceiver)
            assert isinstance(loudspeaker, SocketSender)
            self._join(microphone, loudspeaker, hello)

    def _join(self, microphone: SocketReceiver, loudspeaker: SocketSender, hello: Hello | None) -> None:
        session = self._begin(loudspeaker, microphone.peer)
        self.sessions[session] = (microphone, loudspeaker)
        session.on_closed = lambda: self._loop.call_soon_threadsafe(self._ended, session)
        loudspeaker.begin(session)
        microphone.begin(session, loudspeaker, hello.send_rate if hello else RAW_RATE_HZ)

    def _ended(self, session: Session) -> None:
        for half in self.sessions.pop(session, ()):
            half.close()

    def _forget(self, side: Side) -> None:
        deadline = self._deadlines.pop(side, None)
        if deadline is not None:
            deadline.cancel()
        for key, waiting in list(self._waiting.items()):
            if waiting is side:
                del self._waiting[key]
