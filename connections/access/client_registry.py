"""Guests: who is talking over the WebSocket, how many more may, and who may come back."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from arguments_classes.websocket_arguments import WebSocketArguments
from connections.access.attempt_limiter import client_of
from connections.access.credentials import Grant
from connections.access.time_limits import TimeLimits
from connections.base import OpenSession, tell_loop
from listeners.metrics import Metrics
from listeners.session_log import SessionLog
from pipeline.capabilities import Abilities
from pipeline.errors import ProtocolError
from pipeline.session import Session
from pipeline.sink import Sink

GRACE_S = 15.0
"""How long a session waits for a client whose connection dropped: a tunnel, a change of networks."""

MOST_WAITING_S = 0.1
"""Of audio that waits for the VAD in one of the sessions: then the machine has no room for another."""

MOST_LATE = 3.0
"""The same where so many people are heard late at a time, as a mean of the last seconds. Hardly anybody
is, until the machine is almost full; beyond, everybody waits ever longer."""


class Guest(Sink, Protocol):
    """One client: the sink of their session, and what they say and are told. But for the sink all is
    called on the thread of the server."""

    key: str
    """Who knows it may go on with the session."""

    @property
    def comes_back(self) -> bool:
        """Whether a client whose connection drops can go on."""
        ...

    def begin(self, session: Session) -> None:
        """This is the session that is heard through them."""
        ...

    def attach(self, *, again: bool) -> None:
        """Somebody reads; `again`: after their connection had dropped."""
        ...

    def detach(self) -> None:
        """Nobody reads any more."""
        ...

    async def next_messages(self) -> list[str | bytes]:
        """Wait for something to be sent."""
        ...

    def take_messages(self) -> list[str | bytes]:
        """What is to be sent now."""
        ...

    async def receive(self, data: str | bytes) -> None:
        """What the client says. Raises `ProtocolError` where the connection has to end."""
        ...


@dataclass
class _Stay:
    """A guest, their session, and what ends it if they do not come back."""

    guest: Guest
    session: Session
    number: int
    client: str | None
    """Who is behind their address."""
    grant: Grant
    """With which they came."""
    leave: Callable[[ProtocolError], None] = lambda error: None
    """Hang up the present connection, and say why."""
    timer: asyncio.TimerHandle | None = None


class Guests:
    """Used on the thread of the server; `close` from any."""

    def __init__(self, open_session: OpenSession, arguments: WebSocketArguments, can: Abilities) -> None:
        self.can = can
        """What their sessions can do."""
        self._open_session = open_session
        self._most = arguments.max_sessions
        self._most_of_one = arguments.max_sessions_per_client
        self._limits_s = arguments.idle_timeout_s, arguments.longest_session_s
        self._stays: dict[str, _Stay] = {}
        self._numbers = count(1)
        self.metrics = Metrics(lambda: self.count)
        self.closing = False

    @property
    def count(self) -> int:
        """How many sessions there are, with those that wait for their client."""
        return len(self._stays)

    @property
    def has_room(self) -> bool:
        """Whether one more may come, as far as their number goes."""
        return not self.closing and self.count < self._most

    def welcome(self, guest: Guest, peer: str, grant: Grant) -> Guest:
        """A session for a new guest. Raises `ProtocolError` where there is no room."""
        if not self.has_room:
            raise ProtocolError(f"expected room, but {self.count} people are talking already", "full")
        client = client_of(peer)
        if client and sum(s.client == client for s in self._stays.values()) >= self._most_of_one:
            raise ProtocolError(
                f"expected at most {self._most_of_one} conversations at once from one address", "full"
            )
        if self._is_full():
            raise ProtocolError("expected room, but this machine is busy; try again soon", "full")
        number = next(self._numbers)
        session = self._open_session(guest, f"{number} {peer}")
        guest.begin(session)
        self.metrics.watch(session)
        session.events.add(SessionLog(number, peer))
        session.events.add(TimeLimits(session, *self._limits_s))
        self._stays[guest.key] = _Stay(guest, session, number, client, grant)
        loop = asyncio.get_running_loop()
        session.on_closed = lambda: tell_loop(loop, self._ended, guest)
        return guest

    def grant_of(self, key: str) -> Grant | None:
        """With which they came who have this key."""
        stay = self._stays.get(key)
        return None if stay is None else stay.grant

    def welcome_back(self, key: str) -> Guest:
        """Who has this key; an older connection of theirs is hung up. Raises `ProtocolError`."""
        stay = self._stays.get(key)
        if stay is None or not stay.guest.comes_back:
            raise ProtocolError("expected the key of a session that is waiting, it has ended", "gone")
        stay.leave(ProtocolError("you are connected anew", "replaced"))
        return stay.guest

    def attached(self, guest: Guest, leave: Callable[[ProtocolError], None]) -> None:
        """Their connection is open; `leave` hangs it up."""
        stay = self._stays[guest.key]
        stay.leave = leave
        if stay.timer is not None:
            stay.timer.cancel()
            stay.timer = None

    def dropped(self, guest: Guest) -> None:
        """Their connection is gone: wait for them to come back, where they can."""
        stay = self._stays.get(guest.key)
        if not guest.comes_back:
            self.left(guest)
        elif stay is not None:
            stay.leave = lambda error: None
            loop = asyncio.get_running_loop()
            stay.timer = loop.call_later(GRACE_S, stay.session.close, "the client did not come back")

    def left(self, guest: Guest) -> None:
        """They said that they will not come back."""
        stay = self._stays.get(guest.key)
        if stay is not None:
            stay.session.close("the client left")

    def hung_up(self, key: str) -> None:
        """Who has this key ends the session. Raises `ProtocolError`."""
        if key not in self._stays:
            raise ProtocolError("expected the id of a call that goes on", "gone")
        self.left(self._stays[key].guest)

    def _ended(self, guest: Guest) -> None:
        stay = self._stays.pop(guest.key, None)
        if stay is not None:
            if stay.timer is not None:
                stay.timer.cancel()
            stay.leave(ProtocolError("the session has ended", "ended"))

    def _is_full(self) -> bool:
        """Whether the machine hardly keeps up with those who are there."""
        intakes, now = [stay.session.intake for stay in self._stays.values()], time.monotonic()
        waiting_s = max((intake.backlog_s for intake in intakes), default=0.0)
        late = sum(intake.lag.share(now) for intake in intakes)
        return waiting_s > MOST_WAITING_S or late > MOST_LATE

    def overview(self) -> list[dict[str, object]]:
        """For the operator: who is there, without a word of what is said."""
        return [
            {
                "session": stay.number,
                "state": stay.session.state.value,
                "connected": stay.timer is None,
                "speaking": stay.session.playout.sounding,
                "waiting_s": round(stay.session.intake.backlog_s, 3),
            }
            for stay in self._stays.values()
        ]

    def close(self) -> list[Session]:
        """Everybody out; the sessions, whose end can be waited for."""
        self.closing = True
        sessions = [stay.session for stay in list(self._stays.values())]
        for session in sessions:
            session.close("the server stops")
        return sessions
