"""ClientRegistry: the clients of a web server and their sessions; limits their number."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from pipeline.session import SHUT_DOWN, Session
from pipeline.sink import Sink

GRACE_S = 15.0
"""Time that a session waits for a client whose connection dropped, in a tunnel or between two
networks."""

MAX_WAITING_S = 0.1
"""Audio waiting for the VAD in any session beyond which there is no room for another session."""

MAX_LATE = 3.0
"""Number of users who are heard late, averaged over the last seconds, beyond which there is no room,
either. Hardly any are late until the machine is almost full; then all wait longer and longer."""


class Client(Sink, Protocol):
    """One client: the sink of its session, and the messages it sends and receives. All but the sink is
    called on the thread of the server."""

    key: str
    """The secret with which a client resumes its session."""

    @property
    def comes_back(self) -> bool:
        """True if the session survives a dropped connection."""
        ...

    def begin(self, session: Session) -> None:
        """Serve this session, whose sink this client is."""
        ...

    def attach(self, received: int | None) -> None:
        """The connection is open. `received`: number of events that came over earlier ones; None: there
        was none."""
        ...

    def detach(self) -> None:
        """The connection is gone."""
        ...

    async def next_messages(self) -> list[str | bytes]:
        """Wait for messages to send."""
        ...

    def take_messages(self) -> list[str | bytes]:
        """The messages to send now."""
        ...

    async def receive(self, data: str | bytes) -> None:
        """Handle a message of the client. Raises `ProtocolError` if the connection has to end."""
        ...


@dataclass
class _Registration:
    """A client, its session, and the timer that ends the session unless the client comes back."""

    client: Client
    session: Session
    number: int
    network: str | None
    """The network of the client's address; see `network_of`."""
    grant: Grant
    """The grant by which the client was admitted."""
    leave: Callable[[ProtocolError], None] = lambda error: None
    """Hangs up the current connection, and tells the client why."""
    timer: asyncio.TimerHandle | None = None


class ClientRegistry:
    """Used on the thread of the server; `close` from any."""

    def __init__(
        self, open_session: OpenSession, arguments: WebSocketArguments, capabilities: Capabilities
    ) -> None:
        self.capabilities = capabilities
        """The capabilities of the engines behind the sessions."""
        self._open_session = open_session
        self.max_sessions = arguments.max_sessions
        self.max_per_client = arguments.max_sessions_per_client
        self._limits_s = arguments.idle_timeout_s, arguments.longest_session_s
        self._registrations: dict[str, _Registration] = {}
        self._numbers = count(1)
        self._connections = 0
        self._connection_ended = threading.Condition()
        self.metrics = Metrics(lambda: self.count, lambda: self.room)
        self.closing = False

    @property
    def count(self) -> int:
        """The number of sessions, including those that wait for their client to come back."""
        return len(self._registrations)

    @property
    def room(self) -> float:
        """The number of further sessions for which there is room; a full-duplex model may hold fewer
        than are allowed."""
        free = min(self.max_sessions - self.count, self.capabilities.free_places())
        return 0 if self.closing else free

    @property
    def has_room(self) -> bool:
        """True if there is room for one more session."""
        return self.room >= 1

    def register(self, client: Client, peer: str, grant: Grant) -> Client:
        """Begin a session for a new client. Raises `ProtocolError` if there is no room for it."""
        if not self.has_room:
            raise ProtocolError(f"the server is full: {self.count} sessions are running", "full")
        network = network_of(peer)
        from_there = sum(known.network == network for known in self._registrations.values())
        if network and from_there >= self.max_per_client:
            raise ProtocolError(
                f"expected at most {self.max_per_client} sessions at once from one address", "full"
            )
        if self.is_busy:
            raise ProtocolError("the server is busy; try again soon", "full")
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
        """The grant by which the client with this key was admitted; None: there is no such client."""
        registered = self._registrations.get(key)
        return None if registered is None else registered.grant

    def resume(self, key: str) -> Client:
        """The client with this key; hangs up its older connection. Raises `ProtocolError`."""
        registered = self._registrations.get(key)
        if registered is None or not registered.client.comes_back:
            raise ProtocolError("expected the key of a waiting session, but it has ended", "gone")
        registered.leave(ProtocolError("a newer connection has taken it over", "replaced"))
        return registered.client

    def attached(self, client: Client, leave: Callable[[ProtocolError], None]) -> None:
        """Note that a client's connection is open; `leave` hangs it up."""
        registered = self._registrations[client.key]
        registered.leave = leave
        if registered.timer is not None:
            registered.timer.cancel()
            registered.timer = None

    def dropped(self, client: Client) -> None:
        """Note that a client's connection is gone; wait for it to come back, if it can."""
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
        """End the session of a client that will not come back."""
        registered = self._registrations.get(client.key)
        if registered is not None:
            registered.session.close("the client left")

    def hang_up(self, key: str) -> None:
        """End the session with this key. Raises `ProtocolError`."""
        if key not in self._registrations:
            raise ProtocolError("expected the id of a running call", "gone")
        self.left(self._registrations[key].client)

    def _ended(self, client: Client) -> None:
        registered = self._registrations.pop(client.key, None)
        if registered is not None:
            if registered.timer is not None:
                registered.timer.cancel()
            reason = registered.session.end_reason
            registered.leave(ProtocolError(f"the session has ended: {reason}", "ended"))

    @property
    def is_busy(self) -> bool:
        """True if the machine barely keeps up with the sessions that it has."""
        now = time.monotonic()
        intakes = [registered.session.intake for registered in self._registrations.values()]
        waiting_s = max((intake.backlog_s for intake in intakes), default=0.0)
        late = sum(intake.lag.share(now) for intake in intakes)
        return waiting_s > MAX_WAITING_S or late > MAX_LATE

    def overview(self) -> list[dict[str, object]]:
        """The sessions, for the operator, without anything that is said in them."""
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

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Count a connection, from its beginning until its last words are sent."""
        with self._connection_ended:
            self._connections += 1
        try:
            yield
        finally:
            with self._connection_ended:
                self._connections -= 1
                self._connection_ended.notify_all()

    def wait_for_connections(self, timeout_s: float) -> None:
        """Wait until no connection is left."""
        with self._connection_ended:
            self._connection_ended.wait_for(lambda: not self._connections, timeout_s)

    def close(self) -> list[Session]:
        """End all sessions; returns them, so that the caller can wait for their end."""
        self.closing = True
        sessions = [registered.session for registered in list(self._registrations.values())]
        for session in sessions:
            session.close(SHUT_DOWN)
        return sessions
