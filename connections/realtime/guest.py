"""RealtimeGuest: one client of the Realtime protocol over a WebSocket."""

import asyncio
import math
import secrets
import threading
from collections.abc import Mapping
from typing import Any, Final

from connections.base import tell_loop
from connections.rate_limit import RateLimit
from connections.realtime.formats import PCM
from connections.realtime.talk import RealtimeTalk
from connections.realtime.tell import Teller
from connections.remote_pace import FRAMES_PER_S, RemotePace
from pipeline.errors import ProtocolError
from pipeline.events import LIVE, Event, InputLevel
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame

LEAD_MS = 100
"""Audio that is sent ahead of when it is to be heard. Clients of this protocol play what they get as it
comes and do not report; what is sent cannot be made quieter, held or taken back."""

BUFFER_MS = 60
"""What a client is taken to hold until it says so, by truncating: two frames and the sound card."""

MOST_WAITING = 50
"""Messages that wait for a client that does not read; then nothing more is released."""

PIECE_S = 0.1
MOST_BACKLOG_S = 1.0
"""A recording that is sent at once is handed on in pieces, with so much waiting for the VAD, and so long
its client is not read from: TCP makes them wait."""


EVENTS_PER_S, EVENTS_AT_ONCE = 500, 5000
"""Of a client; more are read later. Audio in packets of 20 ms is fifty events a second, a recording of
a minute in one go three thousand."""


class RealtimeGuest:
    """The sink of a session and a box for its events. What happens in the session is put in line, in
    order, on the thread on which it happens; it is told on the thread of the server."""

    comes_back: Final = False
    full_duplex = True

    def __init__(self, configuration: Mapping[str, Any] | None = None) -> None:
        self.key = f"sess_{secrets.token_urlsafe(16)}"
        self.unwanted: tuple[type, ...] = LIVE
        self._configuration = configuration
        self._set_rate(PCM.rate_hz)
        self._line: list[Event | Frame] = []
        self._messages: list[str] = []
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._attached = False
        self._rate = RateLimit(EVENTS_PER_S, EVENTS_AT_ONCE, self._loop.time())
        self._waits_for_room = False
        self._room = asyncio.Event()
        self._session: Session
        self._talk: RealtimeTalk

    def begin(self, session: Session) -> None:
        """This is the session that is heard through us."""
        self._session = session
        self._talk = RealtimeTalk(session, self._messages.append, id=self.key)
        session.events.add(self)
        session.audio.on_empty = self._on_empty

    # -- the sink and the box, on any thread -------------------------------------------------------

    def room_at(self, now: float) -> float:
        """By the clock; never while the client does not read."""
        full = not self._attached or len(self._line) >= MOST_WAITING
        return math.inf if full else self._pace.room_at(now)

    def heard_all_at(self, now: float) -> float:
        return self._pace.heard_all_at(now)

    def unheard(self, now: float) -> int:
        return self._pace.unheard(now)

    def play(self, frame: Frame) -> None:
        self._pace.sent(frame)
        self._put_in_line(frame)

    def flush(self, turn: int, sample: int) -> bool:
        """The client does that by itself, when it is told of speech."""
        return False

    def duck(self, turn: int, gain: float) -> bool:
        """What the client has cannot be changed; what follows is made quieter for it."""
        return False

    def post(self, event: Event) -> None:
        """Something happened in the session."""
        self._put_in_line(event)

    def close(self) -> None:
        """The session is over."""

    # -- the connection, on the thread of the server -----------------------------------------------

    def attach(self, *, again: bool) -> None:
        """Somebody reads."""
        self._talk.begin()
        if self._configuration is not None:
            self._talk.configure(self._configuration)
        self._attached = True
        self._session.playout.wake()
        self._news.set()

    def detach(self) -> None:
        """Nobody reads any more."""
        self._attached = False
        self._talk.close()

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
                self._talk.on_audio(thing.turn, thing.samples)
            else:
                self._talk.on_event(thing)
        if len(line) >= MOST_WAITING:
            self._session.playout.wake()  # there is room again
        messages: list[str | bytes] = [*self._messages]
        self._messages.clear()
        return messages

    async def receive(self, data: str | bytes) -> None:
        """An event of the client."""
        while (wait_s := self._rate.take(self._loop.time())) > 0:
            self._room.clear()
            self._loop.call_later(wait_s, self._room.set)
            await self._room.wait()
        if isinstance(data, bytes):
            self._talk.tell.error("expected events as text, got binary data", "invalid_event")
        else:
            samples = self._talk.obey(data)
            self._follow_configuration()
            if samples is not None:
                await self._hear(samples)
        if self._messages:
            self._news.set()

    # ----------------------------------------------------------------------------------------------

    async def _hear(self, samples: Samples) -> None:
        rate_hz = self._talk.config.input_format.rate_hz
        size = int(PIECE_S * rate_hz)
        for start in range(0, len(samples), size):
            self._talk.hear(samples[start : start + size], rate_hz)
            while self._session.intake.backlog_s > MOST_BACKLOG_S:
                self._room.clear()
                self._waits_for_room = True
                if self._session.intake.backlog_s > MOST_BACKLOG_S:
                    await self._room.wait()

    def _on_empty(self) -> None:
        if self._waits_for_room:
            self._waits_for_room = False
            tell_loop(self._loop, self._room.set)

    def _follow_configuration(self) -> None:
        config = self._talk.config
        if config.output_format.rate_hz != self.rate_hz:
            self._set_rate(config.output_format.rate_hz)
        self.unwanted = (InputLevel,) if config.wants_partials else LIVE

    def _set_rate(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.frame_samples = rate_hz // FRAMES_PER_S
        self._pace = RemotePace(rate_hz, self.frame_samples, LEAD_MS, BUFFER_MS)

    def _put_in_line(self, thing: Event | Frame) -> None:
        with self._lock:
            self._line.append(thing)
            first = len(self._line) == 1
        if first:
            tell_loop(self._loop, self._news.set)


def describe(error: ProtocolError) -> str:
    """As clients of the protocol are told of an error before there is a session, or after it."""
    return Teller(lambda message: None).encode_error(str(error), error.code)
