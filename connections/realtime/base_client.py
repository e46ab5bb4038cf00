"""BaseClient: the common part of RealtimeClient and WebRTCClient."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connections.base import tell_loop
from connections.outbox import Outbox
from connections.realtime.session import RealtimeSession
from pipeline.errors import ProtocolError
from pipeline.events import LIVE, Event, InputLevel, OutputLevel
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame

MAX_WAITING = 50
"""Limit of the events and frames, or messages, that wait for a client that does not read. Beyond it no
more audio is released."""

MAX_EVENTS = 1000
"""Events of the session that wait for such a client: minutes of conversation. Then the session ends."""

MAX_UNREAD = 1 << 20
"""Characters of replies to such a client's own events; then the connection ends."""


class BaseClient:
    """A client of the Realtime protocol, whatever carries its messages.

    A box for the events of the session: they are queued, in order, on the thread on which they happen,
    and turned into messages on the thread of the server.
    """

    comes_back: Final = False

    def __init__(self, prefix: str, wishes: Sequence[Mapping[str, Any]], *, audio_is_sent: bool) -> None:
        """`wishes` are session configurations, applied in order, so the last one wins."""
        self.key = f"{prefix}_{secrets.token_urlsafe(16)}"
        self.unwanted: tuple[type, ...] = LIVE
        self._wishes = wishes
        self._audio_is_sent = audio_is_sent
        self._outbox: Outbox[Event | Frame] = Outbox(MAX_WAITING)
        self._messages: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._attached = False
        self._session: Session
        self._realtime: RealtimeSession

    def begin(self, session: Session) -> None:
        """Serve this session, whose sink this client is."""
        self._session = session
        self._outbox.on_room = session.playout.wake
        self._realtime = RealtimeSession(
            session, self._messages.append, id=self.key, audio_is_sent=self._audio_is_sent
        )
        session.events.add(self)

    # -- on any thread -----------------------------------------------------------------------------

    @property
    def takes_more(self) -> bool:
        """True while the client is there and reads."""
        waiting = len(self._messages)
        return self._attached and not self._outbox.is_full and waiting < MAX_WAITING

    def put(self, item: Event | Frame) -> None:
        """Tell the client of this, after everything that happened before."""
        if self._outbox.put(item) == MAX_EVENTS:
            tell_loop(self._loop, self._session.close, "the client does not read")

    def post(self, event: Event) -> None:
        """Take an event of the session."""
        self.put(event)

    def close(self) -> None:
        """The session is over."""

    # -- on the thread of the server ---------------------------------------------------------------

    def attach(self, received: int | None) -> None:
        """The connection is open, and reads."""
        self._realtime.begin()
        for wish in self._wishes:
            self._realtime.configure(wish)
        self._follow_configuration()
        self._attached = True
        self._session.playout.wake()
        self._outbox.wake()

    def detach(self) -> None:
        """The connection is gone."""
        self._attached = False
        self._realtime.close()

    async def next_messages(self) -> list[str | bytes]:
        """Wait for messages to send."""
        while not (messages := self.take_messages()):
            await self._outbox.wait()
        return messages

    def take_messages(self) -> list[str | bytes]:
        """The messages to send now."""
        self._translate()
        messages: list[str | bytes] = [*self._messages]
        self._messages.clear()
        if len(messages) >= MAX_WAITING:
            self._session.playout.wake()
        return messages

    def handle(self, data: str | bytes) -> Samples | None:
        """Handle an event of the client; returns its audio, if it carries any. Raises `ProtocolError`
        when too many replies are waiting for a client that does not read."""
        if sum(map(len, self._messages)) > MAX_UNREAD:
            raise ProtocolError("expected the client to read, but too many replies are waiting", "flood")
        samples = None
        self._translate()  # past events first, so that a response that was just cancelled has ended
        if isinstance(data, bytes):
            self._realtime.tell.error("expected events as text, got binary data", "invalid_event")
        else:
            samples = self._realtime.handle(data)
            self._follow_configuration()
        if self._messages:
            self._outbox.wake()
        return samples

    def _translate(self) -> None:
        """Translate the pending events of the session into messages."""
        for item in self._outbox.take():
            if isinstance(item, Frame):
                self._realtime.on_audio(item.turn, item.samples)
            else:
                self._realtime.on_event(item)

    def _follow_configuration(self) -> None:
        """Apply the session's configuration, which may have changed."""
        levels = (InputLevel, OutputLevel)
        self.unwanted = levels if self._realtime.config.wants_partials else LIVE
