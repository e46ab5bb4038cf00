"""Line: what happens in a Realtime session, in order, until its client is told."""

import asyncio
import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connections.base import tell_loop
from connections.realtime.session import RealtimeSession
from pipeline.errors import ProtocolError
from pipeline.events import LIVE, Event, InputLevel
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame

MAX_WAITING = 50
"""Things that wait for a client that does not read; then nothing more is released."""

MAX_EVENTS = 1000
"""Of the session, that wait for such a client: minutes of conversation. Then the session ends."""

MAX_UNREAD = 1 << 20
"""Characters of answers to what such a client says; then the connection ends."""


class Outbox:
    """What the guests of the Realtime protocol have in common, whatever carries their messages.

    A box for the events of the session. They are put in line, in order, on the thread on which they
    happen; the client is told on the thread of the server.
    """

    comes_back: Final = False

    def __init__(self, prefix: str, wishes: Sequence[Mapping[str, Any]], *, audio_is_sent: bool) -> None:
        """`wishes` are sessions, as whoever let the client in configured them, the last word last."""
        self.key = f"{prefix}_{secrets.token_urlsafe(16)}"
        self.unwanted: tuple[type, ...] = LIVE
        self._wishes = wishes
        self._audio_is_sent = audio_is_sent
        self._line: list[Event | Frame] = []
        self._messages: list[str] = []
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._attached = False
        self._session: Session
        self._realtime: RealtimeSession

    def begin(self, session: Session) -> None:
        """This is the session that is heard through us."""
        self._session = session
        self._realtime = RealtimeSession(
            session, self._messages.append, id=self.key, audio_is_sent=self._audio_is_sent
        )
        session.events.add(self)

    # -- on any thread -----------------------------------------------------------------------------

    @property
    def takes_more(self) -> bool:
        """Whether the client is there and reads."""
        return self._attached and len(self._line) < MAX_WAITING

    def put(self, thing: Event | Frame) -> None:
        """Tell the client of this, behind what happened before."""
        with self._lock:
            self._line.append(thing)
            waiting = len(self._line)
        if waiting == 1:
            tell_loop(self._loop, self._news.set)
        elif waiting == MAX_EVENTS:
            tell_loop(self._loop, self._session.close, "the client does not read")

    def post(self, event: Event) -> None:
        """Something happened in the session."""
        self.put(event)

    def close(self) -> None:
        """The session is over."""

    # -- on the thread of the server ---------------------------------------------------------------

    def attach(self, *, again: bool) -> None:
        """Somebody reads."""
        self._realtime.begin()
        for wish in self._wishes:
            self._realtime.configure(wish)
        self._follow_configuration()
        self._attached = True
        self._session.playout.wake()
        self._news.set()

    def detach(self) -> None:
        """Nobody reads any more."""
        self._attached = False
        self._realtime.close()

    async def next_messages(self) -> list[str | bytes]:
        """Wait for something to be sent."""
        while not (messages := self.take_messages()):
            self._news.clear()
            await self._news.wait()
        return messages

    def take_messages(self) -> list[str | bytes]:
        """What is to be sent now."""
        with self._lock:
            line, self._line = self._line, []
        for thing in line:
            if isinstance(thing, Frame):
                self._realtime.on_audio(thing.turn, thing.samples)
            else:
                self._realtime.on_event(thing)
        if len(line) >= MAX_WAITING:
            self._session.playout.wake()  # there is room again
        messages: list[str | bytes] = [*self._messages]
        self._messages.clear()
        return messages

    def handle(self, data: str | bytes) -> Samples | None:
        """An event of the client; audio is given back. Raises `ProtocolError` where too much waits for a
        client who does not read."""
        if sum(map(len, self._messages)) > MAX_UNREAD:
            raise ProtocolError("expected what was told to be read, too much is waiting", "flood")
        samples = None
        if isinstance(data, bytes):
            self._realtime.tell.error("expected events as text, got binary data", "invalid_event")
        else:
            samples = self._realtime.handle(data)
            self._follow_configuration()
        if self._messages:
            self._news.set()
        return samples

    def _follow_configuration(self) -> None:
        """The session may have been configured otherwise."""
        self.unwanted = (InputLevel,) if self._realtime.config.wants_partials else LIVE
