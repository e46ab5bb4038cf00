"""A full-duplex model for timing and faults, and a conversation with it on a clock that the test
advances."""

import threading
from collections import deque
from typing import Any, TypeVar

import numpy as np

from engines.engines import Duplex, Engines
from pipeline.activity import Activity
from pipeline.clock import SampleClock
from pipeline.engine_info import DuplexInfo
from pipeline.errors import EngineError
from pipeline.events import Event
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.settings import EndpointerSettings, SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sink import Sink
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from testing.conversation import PATIENCE_S, settled
from testing.hold import FOREVER_S, Hold
from testing.sinks import RecordingSink

E = TypeVar("E")

RATE_HZ = 16000
FRAME = 1280
"""Samples: 80 ms."""
FRAME_MS = 80


class FakeDuplexModel:
    """Says what it hears, `delay` frames later, and counts: every tenth frame that is not silent has its
    number as text. Faults happen in the frames with the given numbers.
    """

    def __init__(self, *, slots: int = 1, delay: int = 0) -> None:
        self.info = DuplexInfo(
            name="fake-duplex", slots=slots, sample_rate_hz=RATE_HZ, frame_samples=FRAME
        )
        self.delay = delay
        self.hold = Hold(deaf=True)
        """While this gate is closed, the next frame does not return, even if its call is cancelled."""
        self.fails_at: set[int] = set()
        self.says: dict[int, Any] = {}
        """Frame ▶ audio to return instead, such as NaN, or a frame of another length."""
        self.compute_s: dict[int, float] = {}
        """Frame ▶ time that it takes to compute, on the `ComputingTime`; other frames take none."""
        self.time: ComputingTime | None = None
        self.opened: list[SessionSettings] = []
        self.closed = 0
        self.all_closed = threading.Event()
        """Set while no state is open."""
        self.is_closed = False
        self.peaks: deque[float] = deque(maxlen=10_000)
        """Peaks of the latest frames heard."""

    def open(self, settings: SessionSettings) -> "FakeDuplexStream":
        self.opened.append(settings)
        self.all_closed.clear()
        return FakeDuplexStream(self)

    def close(self) -> None:
        self.is_closed = True


class FakeDuplexStream:
    """The state of one conversation."""

    def __init__(self, model: FakeDuplexModel) -> None:
        self._model = model
        self._heard = deque([np.zeros(FRAME, np.float32)] * model.delay)
        self._frame = 0
        self._computes = False

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        assert not self._computes, "a state computes one frame at a time"
        self._computes = True
        try:
            return self._answer(frame)
        finally:
            self._computes = False

    def close(self) -> None:
        assert not self._computes, "a state is closed between two frames"
        self._model.closed += 1
        if self._model.closed == len(self._model.opened):
            self._model.all_closed.set()

    def _answer(self, frame: Samples) -> tuple[Samples, str | None]:
        model, number = self._model, self._frame
        assert frame.shape == (FRAME,)
        self._frame += 1
        model.peaks.append(float(np.abs(frame).max()))
        model.hold.pass_through(CancelToken())
        if model.time is not None:
            model.time.spend(model.compute_s.get(number, 0.0))
        if number in model.fails_at:
            raise EngineError("it stumbled")
        self._heard.append(frame)
        said = self._heard.popleft()
        has_text = number % 10 == 0 and said.any()
        return model.says.get(number, said), f" {number}" if has_text else None


class ComputingTime:
    """Computing time of a fake, on a sample clock. Meanwhile the session counts as idle, so that a test
    can advance the clock."""

    def __init__(self, clock: SampleClock, activity: Activity) -> None:
        self._clock = clock
        self._activity = activity
        self._until = 0.0
        self._sleeps = False
        self._condition = threading.Condition()
        clock.on_advance(self._advanced)

    def spend(self, seconds: float) -> None:
        """Wait until the clock has advanced by `seconds`."""
        with self._condition:
            self._until = self._clock.now() + seconds
            if self._clock.timeout_until(self._until) == 0:
                return
            self._sleeps = True
            self._activity.sleeps()
            assert self._condition.wait_for(lambda: not self._sleeps, FOREVER_S)

    def _advanced(self) -> None:
        with self._condition:
            if self._sleeps and self._clock.timeout_until(self._until) == 0:
                self._activity.woke()
                self._sleeps = False
                self._condition.notify()


def duplex_engines(model: Any, *, check_sound: bool = False) -> Engines:
    """Engines that consist of this model only. A fake model may output constants."""
    return Engines(None, EndpointerSettings(), Duplex(SharedEngine(model)), check_sound=check_sound)


class DuplexConversation:
    """One user in front of a `FakeDuplexModel`. Time passes only in `say`."""

    def __init__(
        self,
        model: FakeDuplexModel | None = None,
        *,
        sink: Sink | None = None,
        clock: SampleClock | None = None,
        settings: SessionSettings = SessionSettings(),
        full_duplex: bool = True,
        check_sound: bool = False,
    ) -> None:
        self.model = model or FakeDuplexModel()
        self.clock = clock or SampleClock(RATE_HZ)
        self.sink: Any = sink or RecordingSink(self.clock.now, full_duplex=full_duplex)
        self.engines = duplex_engines(self.model, check_sound=check_sound)
        self.session: Session = build_pipeline(
            self.engines, self.sink, settings=settings, clock=self.clock
        )
        self.model.time = ComputingTime(self.clock, self.session.activity)
        self.clock.on_advance(self.session.playout.wake)
        self._mail = self.session.events.subscribe()
        self._events: list[Event] = []

    def __enter__(self) -> "DuplexConversation":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close("the test is over")
        assert self.session.join(PATIENCE_S) == []
        self.model.hold.open()
        self.engines.close()

    def say(self, ms: int, level: float = 0.0, *, settle: bool = True) -> None:
        """Speak a constant `level` for `ms`, 20 ms at a time."""
        block = np.full(RATE_HZ // 50, level, np.float32)
        for _ in range(ms // 20):
            self.say_samples(block, settle=settle)

    def say_samples(self, block: Samples, *, settle: bool = True) -> None:
        """Speak these samples."""
        captured_at = self.clock.now()
        self.clock.advance(len(block))
        if settle:
            settled(self.session)
        self.session.feed(block, RATE_HZ, captured_at)
        if settle:
            settled(self.session)

    def events(self, *kinds: type[E]) -> list[E]:
        """The events so far of the given kinds."""
        while (event := self._mail.fetch(0)) is not None:
            self._events.append(event)
        return [event for event in self._events if isinstance(event, kinds)]
