"""Guests: who is talking over the WebSocket, how many more may, and who may come back."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from arguments_classes.websocket_arguments import WebSocketArguments
from connections.access.attempt_limiter import network_of
from connections.access.credentials import Grant
from connections.access.time_limits import TimeLimits
from connections.base import OpenSession, tell_loop
from listeners.metrics import Metrics
from listeners.session_log import SessionLog
from pipeline.capabilities import Capabilities
from pipeline.errors import ProtocolError
from pipeline.session import Session
from pipeline.sink import Sink

GRACE_S = 15.0
"""How long a session waits for a client whose connection dropped: a tunnel, a change of networks."""

MAX_WAITING_S = 0.1
"""Of audio that waits for the VAD in one of the sessions: then the machine has no room for another."""

MAX_LATE = 3.0
"""The same where so many people are heard late at a time, as a mean of the last seconds. Hardly anybody
is, until the machine is almost full; beyond, everybody waits ever longer."""


class Client(Sink, Protocol):
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
class _Registration:
    """A guest, their session, and what ends it if they do not come back."""

    client: Client
    session: Session
    number: int
    network: str | None
    """Who is behind their address."""
    grant: Grant
    """With which they came."""
    leave: Callable[[ProtocolError], None] = lambda error: None
    """Hang up the present connection, and say why."""
    timer: asyncio.TimerHandle | None = None


class ClientRegistry:
    """Used on the thread of the server; `close` from any."""

    def __init__(
        self, open_session: OpenSession, arguments: WebSocketArguments, capabilities: Capabilities
    ) -> None:
        self.capabilities = capabilities
        """What their sessions can do."""
        self._open_session = open_session
        self._most = arguments.max_sessions
        self._most_of_one = arguments.max_sessions_per_client
        self._limits_s = arguments.idle_timeout_s, arguments.longest_session_s
        self._registrations: dict[str, _Registration] = {}
        self._numbers = count(1)
        self.metrics = Metrics(lambda: self.count)
        self.closing = False

    @property
    def count(self) -> int:
        """How many sessions there are, with those that wait for their client."""
        return len(self._registrations)

    @property
    def has_room(self) -> bool:
        """Whether one more may come, as far as their number goes."""
        return not self.closing and self.count < self._most

    def welcome(self, client: Client, peer: str, grant: Grant) -> Client:
        """A session for a new guest. Raises `ProtocolError` where there is no room."""
        if not self.has_room:
            raise ProtocolError(f"expected room, but {self.count} people are talking already", "full")
        network = network_of(peer)
        if (
            network
            and sum(s.network == network for s in self._registrations.values()) >= self._most_of_one
        ):
            raise ProtocolError(
                f"expected at most {self._most_of_one} conversations at once from one address", "full"
            )
        if self._is_full():
            raise ProtocolError("expected room, but this machine is busy; try again soon", "full")
        number = next(self._numbers)
        session = self._open_session(client, f"{number} {peer}")
        client.begin(session)
        self.metrics.watch(session)
        session.events.add(SessionLog(number, peer))
        session.events.add(TimeLimits(session, *self._limits_s))
        self._registrations[client.key] = _Registration(client, session, number, network, grant)
        loop = asyncio.get_running_loop()
        session.on_closed = lambda: tell_loop(loop, self._ended, client)
        return client

    def grant_of(self, key: str) -> Grant | None:
        """With which they came who have this key."""
        registered = self._registrations.get(key)
        return None if registered is None else registered.grant

    def welcome_back(self, key: str) -> Client:
        """Who has this key; an older connection of theirs is hung up. Raises `ProtocolError`."""
        registered = self._registrations.get(key)
        if registered is None or not registered.client.comes_back:
            raise ProtocolError("expected the key of a session that is waiting, it has ended", "gone")
        registered.leave(ProtocolError("you are connected anew", "replaced"))
        return registered.client

    def attached(self, client: Client, leave: Callable[[ProtocolError], None]) -> None:
        """Their connection is open; `leave` hangs it up."""
        registered = self._registrations[client.key]
        registered.leave = leave
        if registered.timer is not None:
            registered.timer.cancel()
            registered.timer = None

    def dropped(self, client: Client) -> None:
        """Their connection is gone: wait for them to come back, where they can."""
        registered = self._registrations.get(client.key)
        if not client.comes_back:
            self.left(client)
        elif registered is not None:
            registered.leave = lambda error: None
            loop = asyncio.get_running_loop()
            registered.timer = loop.call_later(
                GRACE_S, registered.session.close, "the client did not come back"
            )

    def left(self, client: Client) -> None:
        """They said that they will not come back."""
        registered = self._registrations.get(client.key)
        if registered is not None:
            registered.session.close("the client left")

    def hung_up(self, key: str) -> None:
        """Who has this key ends the session. Raises `ProtocolError`."""
        if key not in self._registrations:
            raise ProtocolError("expected the id of a call that goes on", "gone")
        self.left(self._registrations[key].client)

    def _ended(self, client: Client) -> None:
        registered = self._registrations.pop(client.key, None)
        if registered is not None:
            if registered.timer is not None:
                registered.timer.cancel()
            registered.leave(ProtocolError("the session has ended", "ended"))

    def _is_full(self) -> bool:
        """Whether the machine hardly keeps up with those who are there."""
        intakes, now = (
            [registered.session.intake for registered in self._registrations.values()],
            time.monotonic(),
        )
        waiting_s = max((intake.backlog_s for intake in intakes), default=0.0)
        late = sum(intake.lag.share(now) for intake in intakes)
        return waiting_s > MAX_WAITING_S or late > MAX_LATE

    def overview(self) -> list[dict[str, object]]:
        """For the operator: who is there, without a word of what is said."""
        return [
            {
                "session": registered.number,
                "state": registered.session.state.value,
                "connected": registered.timer is None,
                "speaking": registered.session.playout.sounding,
                "waiting_s": round(registered.session.intake.backlog_s, 3),
            }
            for registered in self._registrations.values()
        ]

    def close(self) -> list[Session]:
        """Everybody out; the sessions, whose end can be waited for."""
        self.closing = True
        sessions = [registered.session for registered in list(self._registrations.values())]
        for session in sessions:
            session.close("the server stops")
        return sessions
