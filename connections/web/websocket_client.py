"""WebSocketClient: one client of the WebSocket, who keeps their session when the connection drops."""

import asyncio
import json
import math
import secrets
import threading
from collections.abc import Callable
from typing import Final

from connections.access.rate_limit import FLOOD_S, MESSAGES_PER_S, RateLimit
from connections.base import tell_loop
from connections.remote_pace import FRAMES_PER_S, LEAD_MS, RemotePace
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
from pipeline.audio import clean, from_pcm16, to_pcm16
from pipeline.errors import EngineError, ProtocolError, SessionBusy, SessionClosed
from pipeline.events import PartialTranscript, as_json
from pipeline.mailbox import Mailbox
from pipeline.session import Session
from pipeline.sink import Frame

BUFFER_MS = 60
"""What a client is taken to hold until it reports: two frames and the sound card."""

MAX_WAITING = 25
"""Messages that wait for a client that does not read: half a second, then nothing more is released."""

MAX_AUDIO_S = 2.0
"""Of one message."""

MIN_AUDIO_S = 0.0025
"""A message with less counts as so much, or empty ones would cost only us. A browser's audio worklet
hands over 128 samples at a time, 2.7 ms at 48 kHz."""

_AWAY: Final = "the client is away"


class WebSocketClient:
    """The sink of a session, and what its client says.

    Playout calls it from its own thread; messages are passed on, in order, by whoever serves the
    connection, on the thread of the server.
    """

    comes_back: Final = True

    def __init__(self, rate_hz: int, *, full_duplex: bool) -> None:
        self.rate_hz = rate_hz
        self.frame_samples = rate_hz // FRAMES_PER_S
        self.full_duplex = full_duplex
        self.key = secrets.token_urlsafe(16)
        """Who knows it may go on with this session."""
        self._pace = RemotePace(rate_hz, self.frame_samples, LEAD_MS, BUFFER_MS)
        self._outbox: list[str | bytes] = []
        self._lock = threading.Lock()
        self._next = (0, 0)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._attached = False
        self._heard_s = 0.0
        self._heard_since = self._loop.time()
        self._messages = RateLimit(MESSAGES_PER_S, MESSAGES_PER_S * FLOOD_S, self._loop.time())
        self._session: Session
        self._events: Mailbox

    def begin(self, session: Session) -> None:
        """This is the session that is heard through us."""
        self._session = session
        self._events = session.events.subscribe(self._on_news, live=(PartialTranscript,))

    # -- the sink, on the thread of the playout ----------------------------------------------------

    def room_at(self, now: float) -> float:
        """By the clock; never while the client does not read, or is away."""
        full = not self._attached or len(self._outbox) >= MAX_WAITING
        return math.inf if full else self._pace.room_at(now)

    def heard_all_at(self, now: float) -> float:
        return self._pace.heard_all_at(now)

    def unheard(self, now: float) -> int:
        return self._pace.unheard(now)

    def play(self, frame: Frame) -> None:
        """Send a frame, and in front of one that does not follow on the last, where it belongs."""
        messages: list[str | bytes] = [to_pcm16(clean(frame.samples))]
        if (frame.turn, frame.sample) != self._next:
            messages.insert(0, encode("audio", turn=frame.turn, sample=frame.sample))
        self._next = (frame.turn, frame.sample + len(frame.samples))
        self._pace.sent(frame)
        self._send(*messages)

    def flush(self, turn: int, sample: int) -> bool:
        """The client drops what it has not played, and what waits here is not sent."""
        with self._lock:
            self._outbox = [message for message in self._outbox if isinstance(message, str)]
        self._next = (0, 0)
        self._pace.flushed()
        self._send(encode("flush", turn=turn, sample=sample))
        return True

    def duck(self, turn: int, gain: float) -> bool:
        """The client plays what it has more quietly."""
        self._send(encode("duck", turn=turn, gain=gain))
        return True

    # -- the connection, on the thread of the server -----------------------------------------------

    def attach(self, *, again: bool) -> None:
        """Somebody reads; `again`: they have lost what they had not played, so it is said once more."""
        welcome = encode("welcome", key=self.key, rate=self.rate_hz, frame_samples=self.frame_samples)
        with self._lock:
            self._outbox.insert(0, welcome)  # before what was said while nobody read
        self._on_news()
        self._heard_s, self._heard_since = 0.0, self._loop.time()
        self._attached = True
        if again:
            self._session.playout.pause(_AWAY)  # perhaps it was not noticed that they were gone
            self._session.playout.resume(_AWAY)
        self._session.playout.wake()

    def detach(self) -> None:
        """Nobody reads any more: what is being said waits where the listener was."""
        self._attached = False
        self._session.playout.pause(_AWAY)

    async def next_messages(self) -> list[str | bytes]:
        """Wait for something to be sent."""
        while not (messages := self.take_messages()):
            self._news.clear()
            await self._news.wait()
        return messages

    def take_messages(self) -> list[str | bytes]:
        """What is to be sent now: audio, control, events."""
        with self._lock:
            self._tell_events()
            messages, self._outbox = self._outbox, []
        if len(messages) >= MAX_WAITING:
            self._session.playout.wake()  # there is room again
        return messages

    async def receive(self, data: str | bytes) -> None:
        """Audio, or a message. Raises `ProtocolError` where audio makes no sense."""
        if isinstance(data, bytes):
            self._hear(data)
        else:
            self._read(data)

    def _hear(self, data: bytes) -> None:
        if len(data) % 2:
            raise ProtocolError("expected whole samples of two bytes", "half_sample")
        if len(data) > 2 * MAX_AUDIO_S * self.rate_hz:
            raise ProtocolError(f"expected at most {MAX_AUDIO_S:.0f} s in a message", "too_long")
        self._heard_s += max(MIN_AUDIO_S, len(data) / (2 * self.rate_hz))
        if self._heard_s > self._loop.time() - self._heard_since + FLOOD_S:
            raise ProtocolError("expected audio at the pace of speech, got much more", "flood")
        self._session.feed(from_pcm16(data), self.rate_hz)

    def _read(self, text: str) -> None:
        """What makes no sense, or cannot be done, is answered with an error. Raises
        `ProtocolError` where there are too many."""
        if self._messages.take(self._loop.time()):
            raise ProtocolError(f"expected at most {MESSAGES_PER_S} messages a second", "flood")
        try:
            self._handle(decode(text))
        except ProtocolError as error:
            self._send(describe(error))
        except EngineError as error:
            self._send(encode("error", code=error.code, text=str(error)))
        except (SessionBusy, SessionClosed) as error:
            self._send(encode("error", code="busy", text=str(error)))

    def _handle(self, message: Message) -> None:
        session = self._session
        orders: dict[str, Callable[[], None]] = {
            "start": session.start_speech,
            "commit": session.commit_speech,
            "cancel": session.cancel_speech,
            "interrupt": lambda: session.interrupt("the client asked for it"),
        }
        match message:
            case Order(type=order):
                orders[order]()
            case Respond(text=text):
                session.respond(text)
            case Played(turn=turn, sample=sample):
                self._pace.played(turn, sample)
                session.playout.played(turn, sample)
            case Settings(changes=changes):
                try:
                    session.change_settings(session.settings.changed(changes))
                except ValueError as error:
                    raise ProtocolError(str(error)) from error

    def _send(self, *messages: str | bytes) -> None:
        with self._lock:
            self._tell_events()
            self._outbox.extend(messages)
        self._on_news()

    def _tell_events(self) -> None:
        """What has happened up to now, before what is sent next; under the lock."""
        while (event := self._events.fetch(0)) is not None:
            self._outbox.append(json.dumps({"type": "event", **as_json(event)}, ensure_ascii=False))

    def _on_news(self) -> None:
        tell_loop(self._loop, self._news.set)
