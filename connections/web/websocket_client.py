"""WebSocketClient: one client of the WebSocket, which keeps its session when the connection drops."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import Final

from connections.access.pace_limit import PaceLimit
from connections.access.rate_limit import FLOOD_S, MESSAGES_PER_S, RateLimit
from connections.base import tell_loop
from connections.outbox import Outbox
from connections.paced_sink import PacedSink
from connections.remote_pace import FRAMES_PER_S, LEAD_MS
from connections.web.kept_events import EventText, KeptEvents
from connections.web.messages import (
    Message,
    Order,
    Played,
    Respond,
    Settings,
    decode,
    describe,
    encode,
)
from pipeline.audio import WholeSamples, clean, from_pcm16, to_pcm16
from pipeline.errors import EngineError, ProtocolError, SessionBusy, SessionClosed
from pipeline.event_json import event_json
from pipeline.events import PartialTranscript
from pipeline.mailbox import Mailbox
from pipeline.session import Session
from pipeline.sink import Frame

BUFFER_MS = 60
"""The buffer assumed of a client that has not reported yet: two frames and the sound card."""

MAX_WAITING = 25
"""Messages that wait for a client that does not read: half a second. Then no more audio is released."""

MAX_AUDIO_S = 2.0
"""Longest audio in one message."""

MIN_AUDIO_S = 0.0025
"""A shorter message counts as this much, or else a flood of empty ones would pass. A browser's audio
worklet delivers 128 samples at a time, 2.7 ms at 48 kHz."""

_AWAY: Final = "the client is away"


class WebSocketClient(PacedSink):
    """The sink of a session, and the source of its audio and control messages.

    Playout calls it from its own thread; the connection passes the client's messages on in order, on the
    thread of the server.
    """

    comes_back: Final = True

    def __init__(self, rate_hz: int, *, full_duplex: bool) -> None:
        self._set_pace(rate_hz, rate_hz // FRAMES_PER_S, LEAD_MS, BUFFER_MS)
        self.full_duplex = full_duplex
        self.key = secrets.token_urlsafe(16)
        """The secret with which a client resumes this session."""
        self._outbox: Outbox[str | bytes] = Outbox(MAX_WAITING, earlier=self._take_events)
        self._kept = KeptEvents()
        self._first: list[str] = []
        """Messages that go before all others on a new connection."""
        self._loudness: list[str] = []
        """The latest `duck` message, if there was one."""
        self._next = (0, 0)
        self._reported: tuple[int, int] | None = None
        """The turn and the sample up to which the client has played, if it reports that."""
        self._texts = 0
        self._received = WholeSamples()
        self._loop = asyncio.get_running_loop()
        self._attached = False
        self._pace_limit = PaceLimit(self._loop.time())
        self._message_limit = RateLimit(MESSAGES_PER_S, MESSAGES_PER_S * FLOOD_S, self._loop.time())
        self._session: Session
        self._events: Mailbox

    def begin(self, session: Session) -> None:
        """Serve this session, whose sink this client is."""
        self._session = session
        self._outbox.on_room = session.playout.wake
        self._events = session.events.subscribe(self._outbox.wake, live=(PartialTranscript,))

    # -- the sink, on the thread of the playout ----------------------------------------------------

    @property
    def takes_more(self) -> bool:
        """True while the client is there and reads."""
        return self._attached and not self._outbox.is_full

    def play(self, frame: Frame) -> None:
        """Send a frame; if it does not continue the last one, its position is sent first."""
        messages: list[str | bytes] = [to_pcm16(clean(frame.samples))]
        if (frame.turn, frame.sample) != self._next:
            messages.insert(0, encode("audio", turn=frame.turn, sample=frame.sample))
        self._next = (frame.turn, frame.sample + len(frame.samples))
        self._pace.sent(frame)
        self._outbox.put(*messages)

    def flush(self, turn: int, sample: int) -> bool:
        """Drop the audio that is waiting here, and tell the client to drop what it has not played."""
        self._outbox.discard(lambda message: isinstance(message, bytes))
        self._next = (0, 0)
        self._pace.flushed()
        self._outbox.put(encode("flush", turn=turn, sample=sample))
        return True

    def duck(self, turn: int, gain: float) -> bool:
        """Tell the client to play its buffered audio more quietly."""
        self._loudness = [encode("duck", turn=turn, gain=gain)]
        self._outbox.put(*self._loudness)
        return True

    # -- the connection, on the thread of the server -----------------------------------------------

    def attach(self, received: int | None) -> None:
        """Note that the connection is open, and repeat the audio that the client had not played and the
        events after the first `received`. None: the connection is the first of its session."""
        session, capabilities = self._session, self._session.capabilities
        known, lost = self._kept.after(0 if received is None else received)
        welcome = encode(
            "welcome",
            key=self.key,
            rate=self.rate_hz,
            frame_samples=self.frame_samples,
            event_rate=session.intake.rate_hz,
            takes_text=capabilities.texts,
            takes_turns=capabilities.duplex,
            texts=self._texts,
            events=known,
        )
        self._first = [welcome, *lost, *self._loudness]
        self._outbox.wake()
        self._pace_limit = PaceLimit(self._loop.time())
        self._received.clear()
        self._attached = True
        if received is not None:
            playout = self._session.playout
            playout.pause(_AWAY)  # in case the loss of the connection went unnoticed
            if self._reported is not None:
                playout.go_back(*self._reported)
            playout.resume(_AWAY)
        self._session.playout.wake()

    def detach(self) -> None:
        """Note that the connection is gone: the reply pauses where the user last heard it."""
        self._attached = False
        self._session.playout.pause(_AWAY)

    async def next_messages(self) -> list[str | bytes]:
        """Wait for messages to send."""
        while not (messages := self.take_messages()):
            await self._outbox.wait()
        return messages

    def take_messages(self) -> list[str | bytes]:
        """The messages to send now: audio, control, events."""
        messages = self._outbox.take()
        self._kept.add(message for message in messages if isinstance(message, EventText))
        first, self._first = self._first, []
        return [*first, *messages]

    async def receive(self, data: str | bytes) -> None:
        """Handle audio or a message. Raises `ProtocolError` if the connection must end."""
        if isinstance(data, bytes):
            self._feed(data)
        else:
            self._receive_text(data)

    def _feed(self, data: bytes) -> None:
        if len(data) > 2 * MAX_AUDIO_S * self.rate_hz:
            raise ProtocolError(
                f"expected at most {MAX_AUDIO_S:.0f} s of audio in a message", "too_long"
            )
        seconds = max(MIN_AUDIO_S, len(data) / (2 * self.rate_hz))
        self._pace_limit.take(seconds, self._loop.time())
        self._session.feed(from_pcm16(self._received.take(data)), self.rate_hz)

    def _receive_text(self, text: str) -> None:
        """Do what a message asks, or reply with an error. Raises `ProtocolError` for a flood of them."""
        if self._message_limit.take(self._loop.time()):
            raise ProtocolError(f"expected at most {MESSAGES_PER_S} messages a second", "flood")
        about: str | None = None
        try:
            message = decode(text)
            about = message.type
            self._handle(message)
        except (ProtocolError, EngineError) as error:
            self._outbox.put(describe(error, about))
        except (SessionBusy, SessionClosed) as error:
            self._outbox.put(encode("error", code="busy", text=str(error), about=about))

    def _handle(self, message: Message) -> None:
        session = self._session
        orders: dict[str, Callable[[], object]] = {
            "start": session.start_speech,
            "commit": session.commit_speech,
            "cancel": session.cancel_speech,
            "interrupt": lambda: session.interrupt("the client asked for it"),
            "ping": lambda: self._outbox.put(encode("pong")),
        }
        match message:
            case Order(type=order):
                orders[order]()
            case Respond(text=text):
                self._texts += 1
                session.respond(text)
            case Played(turn=turn, sample=sample):
                self._reported = (turn, sample)
                self._pace.played(turn, sample)
                session.playout.played(turn, sample)
            case Settings(changes=changes):
                try:
                    session.change_settings(session.settings.changed(changes))
                except ValueError as error:
                    raise ProtocolError(str(error)) from error

    def _take_events(self) -> Iterator[EventText]:
        """The events up to now, which belong before the next message."""
        while (event := self._events.fetch(0)) is not None:
            yield EventText(event_json(event, type="event"))
        if self._events.overflowed:
            tell_loop(self._loop, self._session.close, "the client does not read")
