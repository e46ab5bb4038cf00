"""Talk: a session whose model is a server of the Realtime protocol; nobody listens to its output."""

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from engines.engines import Engines, Live
from pipeline.clock import Clock, MonotonicClock
from pipeline.events import Event, PartialTranscript
from pipeline.settings import EndpointerSettings, SessionSettings, Tool
from pipeline.shared_engine import SharedEngine
from S2S.realtime.chat import ServedChat
from S2S.realtime.model import RealtimeModel
from s2s_pipeline import build_pipeline
from testing.realtime_server import ScriptedConnection
from testing.sinks import RecordingSink

RATE_HZ = 24000
PATIENCE_S = 20.0

WEATHER = Tool("weather", "The weather in a city.", {"type": "object", "properties": {}})

E = TypeVar("E", bound=Event)


def engines_at(url: str, *, check_sound: bool = False, **settings: Any) -> Engines:
    """The engines of a program whose model is the server at this address."""
    voice = Live(SharedEngine(RealtimeModel(url, **settings)))
    # the audio of scripted engines is constant
    return Engines(None, EndpointerSettings(), voice, check_sound=check_sound)


class Talk:
    """One user in front of a server, in real time unless the clock is another. The session ends with the
    block."""

    def __init__(
        self,
        url: str,
        *,
        engines: Engines | None = None,
        settings: SessionSettings = SessionSettings(),
        full_duplex: bool = True,
        clock: Clock = MonotonicClock(),
        **model: Any,
    ) -> None:
        self._stack = contextlib.ExitStack()
        if engines is None:
            engines = engines_at(url, **model)
            self._stack.callback(engines.close)
        self.sink = RecordingSink(
            clock.now, rate_hz=RATE_HZ, frame_samples=RATE_HZ // 50, full_duplex=full_duplex
        )
        self.session = build_pipeline(engines, self.sink, settings=settings, clock=clock)
        assert isinstance(self.session.reports.memory, ServedChat)
        self.chat = self.session.reports.memory
        self._mail = self.session.events.subscribe(live=(PartialTranscript,))
        self.events: list[Event] = []

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close("the test is over")
        assert self.session.join(PATIENCE_S) == []
        self._stack.close()

    def say(self, ms: int, level: float = 0.5) -> None:
        """Speak, in blocks of 20 ms, as fast as possible; each counts as captured now."""
        for _ in range(ms // 20):
            block = np.full(RATE_HZ // 50, level, np.float32)
            self.session.feed(block, RATE_HZ, self.session.now())

    def ask(self) -> None:
        """Ask a question, then be silent."""
        self.say(400)
        self.say(600, 0.0)

    def until(self, kind: type[E], found: Callable[[E], bool] = lambda event: True) -> E:
        """Wait for the next event of this kind for which `found` is true."""
        while True:
            event = self._mail.fetch(PATIENCE_S)
            assert event is not None, f"expected {kind.__name__}, got {self.latest}"
            self.events.append(event)
            if isinstance(event, kind) and found(event):
                return event

    @property
    def latest(self) -> list[Event]:
        """The last events."""
        return self.events[-10:]

    def of(self, kind: type[E]) -> list[E]:
        """All events so far of this kind."""
        while (event := self._mail.fetch(0)) is not None:
            self.events.append(event)
        return [event for event in self.events if isinstance(event, kind)]

    def remembered(self) -> list[tuple[str, str]]:
        """The conversation: role and text of each message."""
        return [(message.role, message.content) for _, message in self.chat.history()]


def answer(there: ScriptedConnection, response: str, turn: int | None = None, ms: int = 100) -> None:
    """Send a whole response."""
    there.begin(response, turn)
    there.say(response, ms, f"Text of {response}.")
    there.end(response)
