"""RealtimeClient: one client of the Realtime protocol over a WebSocket."""

import asyncio
from collections.abc import Mapping
from typing import Any

from connections.access.rate_limit import RateLimit
from connections.base import tell_loop
from connections.paced_sink import PacedSink
from connections.realtime.base_client import BaseClient
from connections.realtime.formats import PCM
from connections.realtime.server_events import ServerEvents
from connections.remote_pace import FRAMES_PER_S
from pipeline.errors import ProtocolError
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame

LEAD_MS = 100
"""Audio sent ahead of real time. Clients of this protocol play audio as it arrives and do not report;
once sent, it cannot be made quieter, paused or recalled."""

BUFFER_MS = 60
"""The buffer assumed of a client that has not truncated yet: two frames and the sound card."""

PIECE_S = MAX_BACKLOG_S = 0.04
"""A recording that is sent at once is handed on in pieces, as the VAD takes them. Meanwhile nothing more
is read from its client, and TCP slows it down. Together the two stay below `MAX_WAITING_S` of the
`ClientRegistry`, at which the machine would count as busy."""

EVENTS_PER_S, EVENTS_AT_ONCE = 500, 5000
"""Limits for a client; further events are read later. Audio in packets of 20 ms is 50 events a second, a
recording of a minute sent in one go 3,000."""


class RealtimeClient(BaseClient, PacedSink):
    """The sink of a session; audio is a message like any other, queued with the rest."""

    full_duplex = True

    def __init__(self, configuration: Mapping[str, Any] | None = None) -> None:
        wishes = [] if configuration is None else [configuration]
        super().__init__("sess", wishes, audio_is_sent=True)
        self._set_rate(PCM.rate_hz)
        self._event_limit = RateLimit(EVENTS_PER_S, EVENTS_AT_ONCE, self._loop.time())
        self._waits_for_room = False
        self._room = asyncio.Event()

    def begin(self, session: Session) -> None:
        super().begin(session)
        session.audio.on_empty = self._on_empty

    # -- the sink, on any thread -------------------------------------------------------------------

    def play(self, frame: Frame) -> None:
        self._pace.sent(frame)
        self.put(frame)

    def flush(self, turn: int, sample: int) -> bool:
        """Nothing to do: the client drops its audio by itself when it is told of speech."""
        return False

    def duck(self, turn: int, gain: float) -> bool:
        """Not possible: audio that the client has cannot be changed, so playout lowers what follows."""
        return False

    # -- the connection, on the thread of the server -----------------------------------------------

    async def receive(self, data: str | bytes) -> None:
        """Handle an event of the client, later if they come too fast."""
        while (wait_s := self._event_limit.take(self._loop.time())) > 0:
            self._room.clear()
            self._loop.call_later(wait_s, self._room.set)
            await self._room.wait()
        samples = self.handle(data)
        if samples is not None:
            await self._feed(samples)

    async def _feed(self, samples: Samples) -> None:
        rate_hz = self._realtime.config.input_format.rate_hz
        size = int(PIECE_S * rate_hz)
        for start in range(0, len(samples), size):
            self._realtime.feed(samples[start : start + size], rate_hz)
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
        self._set_pace(rate_hz, rate_hz // FRAMES_PER_S, LEAD_MS, BUFFER_MS)


def describe(error: ProtocolError) -> str:
    """The event that tells a client of an error before there is a session, or after it."""
    return ServerEvents(lambda message: None).encode_error(str(error), error.code)
