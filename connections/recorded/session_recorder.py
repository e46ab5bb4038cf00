"""SessionRecorder: writes a session into a folder, so that it can be replayed."""

import json
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from connections.recorded.recording import Recording
from connections.recorded.session_folder import AUDIO, EVENTS
from pipeline.errors import EngineError
from pipeline.event_json import event_json
from pipeline.events import LIVE, Event
from pipeline.messages import Samples
from pipeline.resampler import Resampler
from pipeline.session import Session
from pipeline.sink import Frame, Sink

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Writes that wait for the disk, minutes of them; beyond, the disk has stopped."""


class SessionRecorder:
    """Stands between a session and its sink, listens to the microphone, and receives every event.

    Audio is kept unchanged, both sides on one time line; each event is kept with the microphone's sample
    at which it happened. Its own thread does the writing, so no other thread waits for the disk. A full
    disk ends the recording, with an error event, but not the conversation.
    """

    unwanted: tuple[type, ...] = LIVE

    def __init__(self, folder: Path, sink: Sink) -> None:
        self._folder = folder
        self._sink = sink
        self.rate_hz, self.frame_samples = sink.rate_hz, sink.frame_samples
        self.full_duplex = sink.full_duplex
        self.room_at, self.heard_all_at = sink.room_at, sink.heard_all_at
        self.unheard, self.duck = sink.unheard, sink.duck
        self._heard_samples = 0
        self._reply_until = 0
        self._input_rate_hz = 0
        self._recording: Recording
        self._resampler: Resampler | None = None
        self._session: Session
        self._to_write: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._failed = False
        self._events: TextIO
        self._to_close: list[Callable[[], object]] = []
        self._thread = threading.Thread(target=self._write, name="record", daemon=True)

    def attach(self, session: Session) -> None:
        """Record this session, whose sink this recorder is, from its first sample on."""
        self._session = session
        (self._folder / EVENTS).touch(mode=0o600)
        self._events = (self._folder / EVENTS).open("w", encoding="utf-8")
        self._to_close.append(self._events.close)
        head = {"full_duplex": self.full_duplex, "settings": session.settings.plain()}
        self._line(lambda: json.dumps(head))
        self._thread.start()
        session.intake.on_heard = self._on_heard
        session.events.add(self)

    @property
    def alive(self) -> bool:
        """True if there may be more to write."""
        return self._thread.is_alive()

    def join(self, timeout_s: float) -> None:
        """Wait until everything is written, once the session has ended."""
        self._thread.join(timeout_s)

    # -- from the microphone, the playout and the events -------------------------------------------

    def _on_heard(self, samples: Samples, rate_hz: int) -> None:
        if not self._input_rate_hz:
            self._input_rate_hz = rate_hz
            self._later(lambda: self._open(rate_hz))
        self._heard_samples += len(samples)
        self._later(lambda: self._recording.add_user(samples))

    def play(self, frame: Frame) -> None:
        """Record a frame after the audio that is still unheard, or else at the current sample."""
        if self._input_rate_hz:  # the time line begins with the microphone's first sample
            if frame.sample == 0 or self._resampler is None:
                self._resampler = Resampler(self.rate_hz, self._input_rate_hz)
            if self._sink.unheard(self._session.now()) == 0:
                self._reply_until = max(self._reply_until, self._heard_samples)
            samples, start = self._resampler.feed(frame.samples), self._reply_until
            self._reply_until += len(samples)
            self._later(lambda: self._recording.add_reply(samples, start))
        self._sink.play(frame)

    def flush(self, turn: int, sample: int) -> bool:
        """Remove unheard audio from the recording too, if the client can drop it."""
        flushed = self._sink.flush(turn, sample)
        if flushed and self._input_rate_hz:
            position = self._reply_until = self._heard_samples
            self._later(lambda: self._recording.cut_reply(position))
        return flushed

    def post(self, event: Event) -> None:
        """Append an event as a line."""
        at_sample = self._heard_samples
        self._line(lambda: event_json(event, ascii=True, at_sample=at_sample))

    def close(self) -> None:
        """Finish: the last event has come."""
        self._to_write.put(None)

    # -- on its own thread -------------------------------------------------------------------------

    def _line(self, encode: Callable[[], str]) -> None:
        self._later(lambda: print(encode(), file=self._events, flush=True))

    def _later(self, write: Callable[[], object]) -> None:
        if self._to_write.qsize() >= MAX_WAITING:
            self._fail("the disk is too slow")
        elif not self._failed:
            self._to_write.put(write)

    def _open(self, rate_hz: int) -> None:
        (self._folder / AUDIO).touch(mode=0o600)
        self._recording = Recording(self._folder / AUDIO, rate_hz, rate_hz, exact=True)
        self._to_close.append(self._recording.close)

    def _write(self) -> None:
        while (write := self._to_write.get()) is not None:
            if not self._failed:
                self._attempt(write)
        for close in self._to_close:
            self._attempt(close)

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except Exception as error:
            self._fail(str(error))

    def _fail(self, why: str) -> None:
        """Stop recording. The client is told that it stopped, the operator also where and why."""
        if not self._failed:
            self._failed = True
            logger.error("%s is not complete: %s", self._folder, why)
            sentence = "the conversation goes on, but is no longer recorded"
            self._session.report("record", EngineError(sentence, code="not_recorded"))
