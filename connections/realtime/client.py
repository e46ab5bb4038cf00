"""RealtimeClient: one client of the Realtime protocol over a WebSocket."""

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from connections.access.rate_limit import RateLimit
from connections.base import tell_loop
from connections.realtime.formats import PCM
from connections.realtime.outbox import Outbox
from connections.realtime.server_events import ServerEvents
from connections.remote_pace import FRAMES_PER_S, RemotePace
from pipeline.errors import ProtocolError
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame

LEAD_MS = 100
"""Audio that is sent ahead of when it is to be heard. Clients of this protocol play what they get as it
comes and do not report; what is sent cannot be made quieter, held or taken back."""

BUFFER_MS = 60
"""What a client is taken to hold until it says so, by truncating: two frames and the sound card."""

PIECE_S = MAX_BACKLOG_S = 0.04
"""A recording that is sent at once is handed on in pieces, as the VAD takes them, and so long its client
is not read from: TCP makes them wait. Together less than what makes a machine look busy (`Guests`)."""


EVENTS_PER_S, EVENTS_AT_ONCE = 500, 5000
"""Of a client; more are read later. Audio in packets of 20 ms is fifty events a second, a recording of
a minute in one go three thousand."""


class RealtimeClient(Outbox):
    """The sink of a session; its audio is a message like any other, and waits in the same line."""

    full_duplex = True

    def __init__(self, configuration: Mapping[str, Any] | None = None) -> None:
        wishes = [] if configuration is None else [configuration]
        super().__init__("sess", wishes, audio_is_sent=True)
        self._set_rate(PCM.rate_hz)
        self._rate = RateLimit(EVENTS_PER_S, EVENTS_AT_ONCE, self._loop.time())
        self._waits_for_room = False
        self._room = asyncio.Event()

    def begin(self, session: Session) -> None:
        """This is the session that is heard through us."""
        super().begin(session)
        session.audio.on_empty = self._on_empty

    # -- the sink, on any thread -------------------------------------------------------------------

    def room_at(self, now: float) -> float:
        """By the clock; never while the client does not read."""
        return self._pace.room_at(now) if self.takes_more else math.inf

    def heard_all_at(self, now: float) -> float:
        return self._pace.heard_all_at(now)

    def unheard(self, now: float) -> int:
        return self._pace.unheard(now)

    def play(self, frame: Frame) -> None:
        self._pace.sent(frame)
        self.put(frame)

    def flush(self, turn: int, sample: int) -> bool:
        """The client does that by itself, when it is told of speech."""
        return False

    def duck(self, turn: int, gain: float) -> bool:
        """What the client has cannot be changed; what follows is made quieter for it."""
        return False

    # -- the connection, on the thread of the server -----------------------------------------------

    async def receive(self, data: str | bytes) -> None:
        """An event of the client."""
        while (wait_s := self._rate.take(self._loop.time())) > 0:
            self._room.clear()
            self._loop.call_later(wait_s, self._room.set)
            await self._room.wait()
        samples = self.handle(data)
        if samples is not None:
            await self._hear(samples)

    async def _hear(self, samples: Samples) -> None:
        rate_hz = self._realtime.config.input_format.rate_hz
        size = int(PIECE_S * rate_hz)
        for start in range(0, len(samples), size):
            self._realtime.hear(samples[start : start + size], rate_hz)
            while self._session.intake.backlog_s > MAX_BACKLOG_S:
                self._room.clear()
                self._waits_for_room = True
                if self._session.intake.backlog_s > MAX_BACKLOG_S:
                    await self._room.wait()

    def _on_empty(self) -> None:
        if self._waits_for_room:
            self._waits_for_room = False
            tell_loop(self._loop, self._room.set)

    def _follow_configuration(self) -> None:
        super()._follow_configuration()
        config = self._realtime.config
        if config.output_format.rate_hz != self.rate_hz:
            self._set_rate(config.output_format.rate_hz)

    def _set_rate(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.frame_samples = rate_hz // FRAMES_PER_S
        self._pace = RemotePace(rate_hz, self.frame_samples, LEAD_MS, BUFFER_MS)


def describe(error: ProtocolError) -> str:
    """As clients of the protocol are told of an error before there is a session, or after it."""
    return ServerEvents(lambda message: None).encode_error(str(error), error.code)
